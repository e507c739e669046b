"""A claim that names a merged record: the person it stands for is meant, and she must be in scope herself."""

from portal.registry.service import claims
from tests.registry.test_claims import PHONE, waiting


def test_a_record_merged_into_one_of_another_community_is_no_candidate_here(make):
    away = make.person("李桂芳", community=make.community("荷塘社区"))
    alias = make.person("王秀英", phone=PHONE, merged_into_id=away.id)
    claim = waiting(make, make.resident(phone=PHONE), id_number=alias.id_number)
    here = [claims.Scope("community", make.community().code)]
    assert claims.candidates(claim, here) == []
    assert [one.person for one in claims.candidates(claim, [claims.Scope("all", "")])] == [away]


def test_a_record_of_another_community_leads_to_the_one_it_was_merged_into_here(make):
    kept = make.person("李桂芳")
    between = make.person("李桂芳", merged_into_id=kept.id)
    alias = make.person("王秀英", community=make.community("荷塘社区"), merged_into_id=between.id)
    namesake = make.person("王秀英")
    claim = waiting(make, id_number=alias.id_number)
    found = claims.candidates(claim, [claims.Scope("community", make.community().code)])
    assert {one.person for one in found} == {kept, namesake}
