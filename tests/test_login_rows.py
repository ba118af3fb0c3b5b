"""Every row and every item of the check list about logins, and the tests that prove it.

A test stands here as `FILE NAME`, the file without `test_` and `.py`. What has no test says why.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.console import ROOT

FOLDERS = {
    "login": "actions/login",
    "oauth": "actions/oauth",
    "oauth2": "actions/oauth2",
    "oidc": "actions/openid_connect",
    "saml": "actions/saml",
    "e2e": "e2e",
    "policy": "policy",
    "proxy": "proxy",
    "store": "proxy/store",
}
NO_FRONT_CHANNEL = "there is no front-channel logout: no request for it is answered"
NOT_BUILT = "optional, and not built"

ROWS: dict[str, tuple[str, ...] | str] = {
    # Return targets
    "T-RD-1": (
        "login/return_target t_rd_1_everything_else_leads_home",
        "login/logout t_rd_1_a_login_never_leads_away",
    ),
    "T-RD-2": ("login/logout t_rd_2_a_logout_never_leads_away",),
    "T-RD-4": ("login/callback oa_1_a_callback_has_to_be_just_what_we_asked_for",),
    "T-RD-5": (
        "login/callback t_rd_5_a_client_s_host_does_not_become_the_redirect_uri",
        "login/attacks t_rd_5_what_a_client_says_about_the_way_changes_nothing",
        "login/public_origin only_what_the_operator_wrote_or_this_machine_names_it",
    ),
    # Logins and sessions
    "OA-1": (
        "login/callback oa_1_a_callback_without_the_browser_s_cookie_is_nobody_s",
        "login/callback oa_1_a_state_is_good_for_one_use",
        "proxy/login_attacks callbacks_that_are_not_in_order_never_reach_the_token_endpoint",
    ),
    "OA-2": ("login/callback oa_2_a_login_of_another_browser_is_not_taken_over",),
    "OA-3": (
        "proxy/login_attacks oa_3_a_stolen_code_is_bound_to_the_login_that_it_was_given_for",
        "oidc/protocol a_code_that_another_browser_was_given_has_another_nonce",
    ),
    "OA-4": (
        "login/callback oa_4_an_answer_for_one_login_is_none_for_another",
        "login/callback oa_4_each_login_has_its_own_redirect_uri",
        "oidc/protocol an_answer_that_is_refused_before_the_provider_is_asked",
    ),
    "OA-5": (
        "proxy/login_attacks oa_5_metadata_of_another_issuer",
        "oidc/metadata metadata_that_are_worth_nothing",
        "oidc/id_token no_algorithm_has_a_shared_secret",
    ),
    "OA-6": ("oidc/protocol an_id_token_that_gives_no_session",),
    "OA-7": (
        "login/email an_address_can_be_read_in_one_way_only",
        "oidc/identity an_address_counts_if_it_is_verified",
        "oauth/protocol an_address_that_reads_in_two_ways_is_none",
    ),
    "OA-8": (
        "oidc/protocol a_token_answer_that_gives_no_session",
        "proxy/login_attacks endpoints_that_misbehave",
    ),
    "OA-9": (
        "login/callback oa_9_every_login_gets_a_new_id_and_ends_the_old_session",
        "login/attacks oa_9_a_session_id_from_before_the_login_is_none_after_it",
        "login/store_trouble oa_9_a_login_that_succeeds_has_ended_the_older_session",
    ),
    "OA-10": (
        "login/gate oa_10_two_valid_sessions_are_none_and_a_planted_one_changes_nothing",
        "login/attacks oa_10_the_one_valid_session_counts_whatever_else_is_shown",
    ),
    "OA-11": ("login/attacks oa_11_megabytes_of_cookies_are_no_session_and_no_fault",),
    "OA-12": (
        "login/attacks oa_12_a_session_counts_under_its_exact_name_and_value_only",
        "store/sealed what_was_changed_does_not_exist",
        "store/sealed a_record_can_not_be_put_into_the_place_of_another",
        "store/sealed all_listed_keys_open_and_the_first_one_seals",
    ),
    "OA-13": (
        "login/callback oa_13_unfinished_logins_are_bounded_and_end_no_session",
        "login/attacks oa_13_one_client_pushes_out_its_own_unfinished_logins_only",
        "proxy/login_attacks oa_13_unfinished_logins_leave_memory_bounded_and_sessions_working",
    ),
    "OA-14": (
        "e2e/openid_connect oa_14_fifty_requests_with_an_expired_token_are_one_refresh",
        "e2e/openid_connect oa_14_two_replicas_over_one_server_are_one_refresh",
        "proxy/login_wire oa_14_a_client_that_goes_away_loses_no_refreshed_token",
        "e2e/login_processes oa_14_a_worker_that_dies_while_it_refreshes_keeps_others_waiting_for_its_lease_only",  # noqa: E501
    ),
    "OA-15": (
        "login/gate oa_15_a_provider_that_fails_ends_no_session_and_is_not_asked_by_every_request",
        "oidc/renewal a_new_id_token_out_of_order_ends_the_session",
        "oidc/renewal a_refused_refresh_token_ends_the_session",
    ),
    "OA-16": (
        "login/logout oa_16_another_site_can_only_ask",
        "login/logout oa_16_what_a_page_loads_logs_nobody_out",
        "login/logout a_form_of_another_site_logs_nobody_out",
    ),
    "OA-17": (
        "oidc/logout_token claims_that_end_no_session",
        "oidc/logout_token a_doubled_field_ends_no_session",
        "proxy/login_wire oa_17_a_flood_of_notices_ends_nothing_and_costs_the_provider_nothing",
        "e2e/login_processes oa_17_a_logout_token_is_good_for_once_among_all_replicas",
    ),
    "OA-18": NO_FRONT_CHANNEL,
    "OA-19": (
        "login/pages oa_19_no_text_becomes_markup",
        "proxy/login_attacks callbacks_that_are_not_in_order_never_reach_the_token_endpoint",
    ),
    "OA-20": ("login/gate oa_20_a_form_that_comes_too_late_is_told_so_and_goes_nowhere",),
    "OA-21": (
        "login/gate oa_21_a_session_ends_when_idle_and_at_its_end",
        "login/clock a_clock_that_jumps_ahead_ends_sessions",
        "login/clock a_clock_that_is_set_back_keeps_no_idle_session",
    ),
    "OA-22": (
        "proxy/login_attacks oa_22_no_event_has_a_secret_in_it",
        "e2e/login_secrets oa_22_a_full_login_leaves_no_secret_anywhere",
    ),
    "OA-23": ("login/pages oa_23_no_page_of_ours_can_be_framed_or_kept",),
    # The check list
    "D2-1": ("oidc/protocol a_login_asks_with_everything_that_makes_it_safe",),
    "D2-2": (
        "login/cookies secrets_have_256_bits",
        "login/callback oa_1_a_state_is_good_for_one_use",
    ),
    "D2-3": ("login/challenge d2_3_what_is_kept_of_an_unfinished_login_answers_no_challenge",),
    "D2-4": (
        "oauth2/authorization_request a_login_has_state_pkce_and_one_way_back",
        "oidc/protocol a_provider_without_pkce_is_warned_of",
    ),
    "D2-5": ("login/callback oa_4_each_login_has_its_own_redirect_uri",),
    "D2-6": (
        "login/challenge d2_6_what_a_visitor_adds_to_the_login_path_goes_to_no_provider",
        "oauth2/authorization_request what_a_policy_adds_never_wins",
        "oidc/protocol pushed_parameters_are_not_in_the_address",
    ),
    "D2-7": (
        "oauth2/client_authentication basic_is_encoded_like_a_form_first",
        "oidc/metadata the_client_proves_itself_as_the_provider_wants",
    ),
    "D2-8": (
        "oidc/metadata metadata_that_are_worth_nothing",
        "oidc/metadata only_true_announces_the_issuer",
    ),
    "D2-9": (
        "login/callback oa_1_a_callback_has_to_be_just_what_we_asked_for",
        "proxy/login_wire paths_of_ours_are_ours_in_every_form_or_refused",
    ),
    "D2-10": (
        "login/callback oa_1_a_state_is_good_for_one_use",
        "proxy/login_wire a_client_that_goes_away_at_the_callback_has_no_session_and_no_second_try",
    ),
    "D2-11": (
        "oidc/protocol an_answer_that_is_refused_before_the_provider_is_asked",
        "oidc/protocol an_issuer_that_is_sent_without_being_announced_is_compared_all_the_same",
    ),
    "D2-12": ("oauth2/callback an_error_says_what_it_means",),
    "D2-13": (
        "oauth2/token_endpoint a_code_is_exchanged_with_its_verifier_and_redirect_uri",
        "oidc/protocol the_token_type_has_no_case",
        "oidc/protocol calls_are_bounded_and_shorter_than_a_lease",
    ),
    "D2-14": ("oidc/protocol a_signature_that_gives_no_session",),
    "D2-15": ("oidc/protocol an_id_token_that_gives_no_session",),
    "D2-16": ("oidc/protocol an_id_token_that_gives_no_session",),
    "D2-17": (
        "oidc/protocol an_id_token_that_gives_no_session",
        "oidc/protocol the_leeway_is_a_minute",
    ),
    "D2-18": (
        "oidc/protocol an_id_token_that_gives_no_session",
        "oidc/protocol without_a_nonce_of_our_own_nobody_gets_in",
    ),
    "D2-19": ("oidc/id_token the_example_of_the_specification",),
    "D2-20": (
        "oidc/protocol max_age_and_acr_are_checked_where_the_policy_asks",
        "oidc/renewal a_policy_that_asks_for_more_is_not_satisfied_by_an_older_login",
    ),
    "D2-21": (
        "oidc/protocol max_age_and_acr_are_checked_where_the_policy_asks",
        "oidc/renewal a_policy_that_asks_for_more_is_not_satisfied_by_an_older_login",
    ),
    "D2-22": ("oidc/protocol an_id_token_that_gives_no_session",),
    "D2-23": (
        "oidc/protocol userinfo_that_gives_no_session",
        "oidc/userinfo one_object_about_the_user_is_userinfo",
    ),
    "D2-24": ("oidc/identity an_address_counts_if_it_is_verified",),
    "D2-25": (
        "oauth/protocol a_token_of_another_client_is_no_login",
        "oauth/github only_the_primary_address_counts_and_only_if_verified",
        "oauth/github all_pages_of_organizations_are_read",
        "oauth/github a_scope_that_is_missing_is_no_login",
    ),
    "D2-26": ("login/callback oa_9_every_login_gets_a_new_id_and_ends_the_old_session",),
    "D2-27": (
        "login/callback the_session_cookie_is_as_strict_as_it_can_be",
        "login/cookies t_ck_1_attributes",
    ),
    "D2-28": (
        "login/gate oa_21_a_session_ends_when_idle_and_at_its_end",
        "login/gate userinfo_is_refreshed_at_its_interval",
    ),
    "D2-29": (
        "oidc/renewal a_new_id_token_out_of_order_ends_the_session",
        "oidc/renewal the_login_s_own_nonce_and_time_are_fine",
        "login/attacks a_logout_during_a_renewal_wins",
    ),
    "D2-30": ("e2e/openid_connect a_session_survives_a_restart_over_sqlite",),
    "D2-31": (
        "oidc/protocol the_provider_logs_out_too",
        "login/logout the_provider_logs_out_too_and_sends_back_to_a_page_that_begins_no_login",
    ),
    "D2-32": (
        "oidc/logout_token claims_that_end_no_session",
        "oidc/logout_token a_token_is_good_for_once",
        "login/attacks oa_17_a_notice_that_could_not_be_carried_out_may_come_again",
    ),
    "D2-33": NO_FRONT_CHANNEL,
    "D2-34": NOT_BUILT,
    "D2-35": NOT_BUILT,
    "D2-36": NOT_BUILT,
    "D2-37": NOT_BUILT,
    "D2-38": (
        "login/navigation d2_38_navigations",
        "login/gate d2_38_what_is_no_navigation_gets_401",
        "login/attacks d2_38_what_is_no_navigation_begins_no_login_at_the_login_path_either",
        "login/challenge a_challenge_is_well_formed_whatever_was_asked_for",
    ),
    "D2-39": (
        "login/callback d2_39_a_stale_callback_of_who_is_logged_in_leads_on",
        "login/attacks d2_39_a_login_that_took_too_long_leads_who_is_logged_in_to_its_page",
    ),
    "D2-40": ("login/callback a_refusal_shows_a_reference_and_no_reason",),
    # What operators ask for most
    "day one 1": (
        "e2e/openid_connect oa_14_fifty_requests_with_an_expired_token_are_one_refresh",
    ),
    "day one 2": (
        "login/callback several_tabs_log_in_at_once",
        "e2e/login_in_browser two_tabs_log_in_at_once",
    ),
    "day one 3": ("login/callback oa_13_unfinished_logins_are_bounded_and_end_no_session",),
    "day one 4": ("login/gate a_program_reads_where_a_login_begins",),
    "day one 7": (
        "login/gate sessions_of_another_login_or_endpoint_do_not_count",
        "login/attacks a_session_of_one_host_of_a_wildcard_endpoint_is_none_of_another",
    ),
    "day one 8": (
        "login/logout the_provider_logs_out_too_and_sends_back_to_a_page_that_begins_no_login",
        "login/attacks a_logout_passes_by_a_cookie_whose_session_is_long_over",
    ),
    "day one 9": ("e2e/openid_connect the_provider_s_own_logout_ends_the_session_here",),
    "day one 10": (
        "e2e/login_processes t_ws_4_a_logout_ends_the_streams_of_all_workers_in_time",
        "proxy/login_wire t_ws_4_a_logout_ends_what_is_open_at_once",
    ),
    "day one 11": (
        "e2e/openid_connect a_provider_that_is_down_at_the_start_is_used_when_it_is_there",
        "login/gate a_provider_that_is_down_is_a_page_with_a_time_to_retry",
    ),
    "day one 24": (
        "login/callback who_took_too_long_is_led_to_a_new_login_for_the_same_page",
    ),
    "day one 25": ("login/callback a_refusal_shows_a_reference_and_no_reason",),
    "day one 26": ("login/cookies secrets_have_256_bits",),
    "day one 27": (
        "oidc/renewal what_userinfo_does_not_say_any_more_is_gone",
        "login/gate userinfo_is_refreshed_at_its_interval",
    ),
}  # fmt: skip
PROVED = {row: tests for row, tests in ROWS.items() if not isinstance(tests, str)}


@cache
def names_in(folder: str, file: str) -> frozenset[str]:
    path = ROOT / "tests" / FOLDERS[folder] / f"test_{file}.py"
    return frozenset(re.findall(r"def test_(\w+)\(", path.read_text("utf-8")))


@pytest.mark.parametrize(("row", "tests"), PROVED.items(), ids=PROVED)
def test_the_tests_of_a_row_exist(row: str, tests: tuple[str, ...]) -> None:
    assert tests, row
    for test in tests:
        place, name = test.split()
        folder, _, file = place.partition("/")
        assert name in names_in(folder, file), test


@pytest.mark.parametrize(("group", "last"), [("OA", 23), ("D2", 40)])
def test_no_row_is_forgotten(group: str, last: int) -> None:
    assert [row for row in ROWS if row.startswith(f"{group}-")] == [
        f"{group}-{number}" for number in range(1, last + 1)
    ]
