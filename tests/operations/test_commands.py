"""The commands, run as an operator runs them."""

import stat

import pytest

GOOD = {
    "PORTAL_MODE": "production",
    "SECRET_KEY": "k" * 40,
    "PUBLIC_URL": "https://portal.example.org",
    "TRUSTED_HOSTS": "portal.example.org",
}


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY with at least 32 characters"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY with at least 32 characters"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL, beginning with https://"),
        ({"PUBLIC_URL": "http://portal.example.org"}, "PUBLIC_URL, beginning with https://"),
        ({"TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS"),
        ({"PORTAL_MODE": "staging"}, "PORTAL_MODE is production, demo or test"),
        ({"DATABASE_URL": "mysql://db/portal"}, "DATABASE_URL must begin with sqlite:/// or postgresql://"),
    ],
)
def test_production_refuses_to_start_in_words(new_site, missing, words):
    refused = new_site(**GOOD).run("serve", **missing)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_production_refuses_to_start_without_its_keys(new_site):
    site = new_site(**GOOD).migrated()
    (site.instance / "keys.json").unlink()
    refused = site.run("serve")
    assert refused.returncode == 2
    assert "no key file at keys.json" in refused.stderr
    assert not (site.instance / "keys.json").exists()


def test_migrate_makes_the_keys_once_for_their_owner_only(new_site):
    site = new_site()
    keys = site.instance / "keys.json"
    assert site.run("migrate").returncode == 0
    first = keys.read_bytes()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o400
    assert site.run("migrate").returncode == 0
    assert keys.read_bytes() == first


def test_serve_refuses_a_database_of_another_version_and_says_what_to_run(new_site):
    refused = new_site().run("serve")
    assert refused.returncode == 2
    assert "run `portal migrate`" in refused.stderr


def test_the_demonstration_is_not_loaded_in_production(new_site):
    refused = new_site(**GOOD).migrated().run("demo")
    assert refused.returncode == 2
    assert "not loaded in production" in refused.stderr


def test_a_taken_address_is_named(new_site):
    site = new_site().migrated()
    site.serve()
    refused = site.run("serve")
    assert refused.returncode == 2
    assert f"cannot listen at 127.0.0.1:{site.port}" in refused.stderr
