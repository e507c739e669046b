"""What the endpoints of services, search words, lists and proofs ask for."""

_KEPT = (
    *("service_items", "service_item", "item_new", "item_edit", "item_publish", "item_withdraw", "item_copy"),
    *("condition_new", "condition_edit", "condition_up", "condition_remove"),
    *("service_providers", "provider_new", "provider_edit", "provider_close"),
    *("synonyms", "synonym_new", "synonym_edit", "synonym_remove", "misses", "miss_settle"),
    *("four_lists", "samples", "entry_new", "entry_edit", "entry_end"),
    *("proofs", "proof_new", "proof_edit", "proof_end"),
)
_PUBLIC = (*("index", "listing", "search", "missing", "item", "item_print", "check", "proofs", "four_lists"),)

ASKS = {f"catalogue.worker.{name}": "catalogue.keep" for name in _KEPT} | {
    f"catalogue.resident.{name}": "public" for name in _PUBLIC
}
