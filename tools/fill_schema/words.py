"""Words for columns: by the name of a column, and for the few that a rule of their own decides."""

from __future__ import annotations

import re

_FIRST = "Ada Alan Barbara Claude Dana Edsger Frances Grace Hedy Ivan Jean Ken Lin Mary Niklaus Ole"
_LAST = "Abel Brandt Castro Dietz Evans Fischer Gupta Haas Ito Jensen Kim Lopez Moreau Novak Okafor"
_TRADE = "Bakery Books Brewing Cycles Dental Design Energy Farms Foods Freight Garden Glass Hotels"
_PLACE = "Harbour Hill Lake Market Meadow Mill North Park River Station Summit Valley West"
_SAYINGS = (
    "asked for a quote by Friday",
    "wants the invoice sent again",
    "agreed to a call next week",
    "moved the launch to spring",
    "found a mistake in the order",
    "needs two more licences",
    "thanked us for the quick answer",
    "will decide after the budget round",
)
TAGS = ("finance", "launch", "hiring", "support", "research")
_STAGES = ("appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "contractsent")


def _array(choice: str | tuple[str, ...], drawn: str, shift: int) -> str:
    listed = choice.split() if isinstance(choice, str) else choice
    quoted = ", ".join(f"'{word}'" for word in listed)
    return f"(ARRAY[{quoted}])[1 + $h / {shift} % {len(listed)}]".replace("$h", drawn)


# Triggers count these, so they begin as their defaults say.
COMPUTED = re.compile(
    r"^(has_deals|(total|open|won)_deal_(count|value)|last_(deal|won)_date|is_primary_on_deals|message_count)$"
)
# What most rows have not.
SELDOM = re.compile(
    r"^(deleted_at|edited_at|flag_reason|unsubscribe.*|.*error(_message)?|resolved_at)$"
)
# What a name ends with, and what stands there then: $first, $last, $place, $trade, $says are words.
_TEXTS: tuple[tuple[str, str], ...] = (
    (r"email$|email_id$|attendee$", "lower($first || '.' || $last) || $i || '@example.org'"),
    (r"first_name$|given_name$", "$first"),
    (r"last_name$|family_name$", "$last"),
    (
        r"(full|author|sender|owner|from|user)_name$|nickname$|committed_to$",
        "$first || ' ' || $last",
    ),
    (r"phone$", "'+1 555 ' || lpad(($h % 10000000)::text, 7, '0')"),
    (r"domain$", "lower($place) || '-' || $i || '.example'"),
    (r"ip_address$", "'10.' || $h % 250 || '.0.' || $i % 250"),
    (r"url$|link$|referrer$", "'https://example.org/' || lower($place) || '/' || $i"),
    (r"user_agent$", "'Mozilla/5.0 (X11; Linux x86_64) Firefox/' || 120 + $h % 20"),
    (r"company_name$|display_name$|deal_name$|event_title$", "$place || ' ' || $trade"),
    (r"^name$", "$place || ' ' || $trade || ' ' || $i"),
    (r"mime_type$", "'application/pdf'"),
    (r"language$", "'en'"),
    (r"title$|subject$|topic$|snippet$", "$trade || ': ' || $says"),
    (
        r"content|body|text$|message$|description$|notes?$|summary$|transcript$|report$|insights$",
        "$first || ' of ' || $place || ' ' || $trade || ' ' || $says || '. Ticket ' || $i || '.'",
    ),
)
_CHOICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"direction$", ("inbound", "outbound")),
    (r"interaction_type$|activity_type$", ("email", "meeting", "call", "website_visit")),
    (r"sentiment$|tone$", ("positive", "neutral", "negative")),
    (r"priority$|urgency$", ("low", "normal", "high")),
    (r"interface(_type)?$|source$", ("web", "email", "slack", "phone")),
    (r"industry$", tuple(_TRADE.split())),
    (r"stage$", _STAGES),
    (r"status$", ("pending", "active", "done")),
    (r"error(_message)?$", ("timed out", "refused")),
    (r"type$|category$|mode$|level$|style$|trend$|role$|state$", ("first", "second", "third")),
)
# Columns of which checks, triggers or the program want something that no name tells.
GIVEN: dict[str, str] = {
    "towns.name": "(ARRAY['aurora', 'fluenti', 'collaboration', 'vengeance'])[1 + ($i - 1) % 4]"
    " || CASE WHEN $i > 4 THEN '-' || $i ELSE '' END",
    "towns.database_roles": "'{}'",
    "towns.is_active": "true",
    "deals.pipeline": "'default'",
    "deal_stages.pipeline": "'default'",
    "users.role": "'user'",
    "permissions.name": "'reports_' || translate($i::text, '0123456789', 'abcdefghij') || '.read'",
    "business_tasks.done_at": "CASE WHEN $[status] = 'done' THEN now() END",
    "deals.closed_won": "false",
    "deal_stages.is_won": "false",
    "engagement_rules.conditions": "'{}'",
    "google_workspace_domains.service_account_key_path": "'/etc/robbie/google-' || $i || '.json'",
    "secrets.key_value_encrypted": "'rbs1:demo:' || md5($i::text) || md5('s' || $i)",
    "secrets.scope": "'global'",
    "secrets.scope_id": "NULL",
    "shared_enriched_records.shared_with": "'{}'",
    "slack_messages.ts": "1600000000 + $i || '.000100'",
    "sync_conflicts.resolved_data": "jsonb_build_object('number', $i)",
    "sync_nodes.connection_string": "'host=node-' || $i || ' dbname=robbieverse'",
    "pending_sync.table_name": "(ARRAY['companies', 'contacts', 'deals'])[1 + $h % 3]",
    "training_jobs.epochs": "100",
    "training_jobs.learning_rate": "0.001",
    "privacy_rules.table_name": "'contacts'",
    "robbieblocks_components.react_code": "'export default function Part({ title }) '"
    " || '{ return <p>{title}</p>; }'",
    "robbieblocks_components.css_styles": "NULL",
    "robbieblocks_components.dependencies": "'{}'",
    "robbieblocks_components.imported_hash": "NULL",
    "robbieblocks_components.version": "'1.0.0'",
    "robbieblocks_page_blocks.zone": "'main'",
    "robbieblocks_page_blocks.conditions": "'{}'",
    "robbieblocks_page_blocks.imported_hash": "NULL",
    "robbieblocks_page_blocks.props": "jsonb_build_object('title', 'Part ' || $i)",
    "robbieblocks_pages.app_namespace": "'filled'",
    "robbieblocks_pages.page_route": "'/page-' || $i",
    "robbieblocks_pages.layout_template": "'default'",
    "robbieblocks_pages.imported_hash": "NULL",
    "robbieblocks_node_branding.style_overrides": "'{}'",
    "robbieblocks_node_branding.enabled_apps": "'{}'",
    "robbieblocks_node_branding.custom_css": "NULL",
    "robbieblocks_node_branding.custom_scripts": "NULL",
    "robbieblocks_node_branding.settings": "NULL",
    "robbieblocks_node_branding.imported_hash": "NULL",
    "robbieblocks_style_tokens.token_category": "'colors'",
    "robbieblocks_style_tokens.default_value": "'#' || substr(md5($i::text), 1, 6)",
    "robbieblocks_style_tokens.imported_hash": "NULL",
    "earlier_media.content": "convert_to('Earlier ' || $i, 'UTF8')",
    "earlier_media.content_hash": "encode(sha256(convert_to('Earlier ' || $i, 'UTF8')), 'hex')",
    "earlier_media.content_address": "NULL",
    "media_assets.content_address": "NULL",
    "media_assets.imported_hash": "NULL",
    "media_assets.file_name": "'note-' || $i || '.txt'",
    "media_assets.media_type": "'text/plain'",
    "media_assets.content": "convert_to('Note ' || $i, 'UTF8')",
    "media_assets.focal_point": "NULL",
    "media_assets.served_path": "NULL",
    "media_assets.width": "NULL",
    "media_assets.height": "NULL",
    "robbieblocks_deploys.deploy_status": "'success'",
    "robbieblocks_change_triggers.processed_at": "now()",
    "robbieblocks_change_triggers.affected_apps": "'{filled}'",
}


def text(name: str, i: str, drawn: str, *, unique: bool) -> str | None:
    """The expression for a text column by its name; None where no rule knows it.

    `unique` texts hold the row's number.
    """
    for pattern, made in _TEXTS:
        if re.search(pattern, name) and not (unique and "$i" not in made):
            for shift, (word, choice) in enumerate(_WORDS.items()):
                made = made.replace(word, _array(choice, drawn, 16 ** (shift + 1)))
            return made.replace("$i", i).replace("$h", drawn)
    if not unique:
        for pattern, choice in _CHOICES:
            if re.search(pattern, name):
                return _array(choice, drawn, 1)
    return None


_WORDS: dict[str, str | tuple[str, ...]] = {
    "$first": _FIRST,
    "$last": _LAST,
    "$place": _PLACE,
    "$trade": _TRADE,
    "$says": _SAYINGS,
}
