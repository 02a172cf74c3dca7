#!/usr/bin/env python3
"""Makes cases of this corpus from a public one.

    python3 testdata/arc/convert.py arc-validation.json arc-signing.json

The two files are the test suite of ValiMail (github.com/ValiMail/arc_test_suite, commit f137dcb9,
licence MIT; its YAML as JSON). `why`, section and cause are ours and stand below.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
SOURCE = "ValiMail/arc_test_suite {file}, {name}, commit f137dcb9, MIT"

# name: (why, section, cause, detail or None, instance or None, oldest-pass or None)
WHY = {
    "cv_empty": (
        "A message without a single octet has no chain.",
        "5.2", "no-sets", None, None, None,
    ),
    "cv_no_body": (
        "A header section without ARC fields has no chain, body or not.",
        "5.2", "no-sets", None, None, None,
    ),
    "cv_base2": (
        "A multipart message without ARC fields has no chain.",
        "5.2", "no-sets", None, None, None,
    ),
    "cv_pass_i1_2": (
        "One set; i= is not the first tag, and h= names ARC-Authentication-Results, which the message did not have then.",
        "5.2", "valid", None, None, 0,
    ),
    "cv_pass_i2_2": (
        "Two sets, the second over the first.",
        "5.2", "valid", None, None, 0,
    ),
    "cv_pass_i3_1": (
        "Three sets.",
        "5.2", "valid", None, None, 0,
    ),
    "cv_pass_i5_1": (
        "Five sets.",
        "5.2", "valid", None, None, 0,
    ),
    "cv_fail_i1_ams_invalid": (
        "The only message signature is of another message.",
        "5.2", "message-signature", "body-hash-mismatch", 1, None,
    ),
    "cv_fail_i1_as_pass": (
        "The first seal cannot say that a chain before it passed.",
        "5.2", "status-mismatch", None, 1, None,
    ),
    "cv_fail_i1_as_invalid": (
        "The only seal has a changed b=.",
        "5.2", "seal", "signature-mismatch", 1, None,
    ),
    "cv_fail_i2_ams_invalid": (
        "The newest message signature is of another message; the older one does not help.",
        "5.2", "message-signature", "body-hash-mismatch", 2, None,
    ),
    "cv_fail_i2_as2_invalid": (
        "The newest seal has a changed b=.",
        "5.2", "seal", "signature-mismatch", 2, None,
    ),
    "cv_fail_i2_as2_fail": (
        "The newest seal says that the chain had failed; nothing more is looked at.",
        "5.2", "failed-before", None, 2, None,
    ),
    "cv_fail_i2_as1_invalid": (
        "The oldest seal has a changed b=: every seal must verify.",
        "5.2", "seal", "signature-mismatch", 1, None,
    ),
    "cv_fail_i2_as1_fail": (
        "No seal of a chain can say fail, not even an old one.",
        "5.2", "status-mismatch", None, 1, None,
    ),
    "ams_struct_i_empty": (
        "An empty i= puts the message signature into no set.",
        "4.2.1", "message-signature-syntax", "bad-instance", None, None,
    ),
    "ams_struct_i_invalid": (
        "A letter is no instance.",
        "4.2.1", "message-signature-syntax", "bad-instance", None, None,
    ),
    "ams_struct_missing": (
        "A set without a message signature is none.",
        "5.2", "missing-field", None, 1, None,
    ),
    "ams_format_eq_wsp": (
        "White space around the = of a tag is passed over.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_format_tags_unknown": (
        "A tag that is not known is signed and otherwise passed over.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_format_tags_dup": (
        "A tag that stands twice makes the list invalid.",
        "4.1.2", "message-signature-syntax", "tag-list", None, None,
    ),
    "ams_format_tags_val_case": (
        "A name in h= in another case is the same field, but not the same octets that were signed.",
        "4.1.2", "message-signature", "signature-mismatch", 1, None,
    ),
    "ams_format_tags_sc": (
        "Two semicolons with nothing between them are no tag list.",
        "4.1.2", "message-signature-syntax", "tag-list", None, None,
    ),
    "ams_fields_i_dup2": (
        "Two message signatures of one instance, the valid one above.",
        "5.2", "repeated-field", None, 1, None,
    ),
    "ams_fields_a_na": (
        "Without a= there is no way to verify.",
        "4.1.2", "message-signature-syntax", "missing-tag", None, None,
    ),
    "ams_fields_a_unknown": (
        "An algorithm that is not known fails.",
        "4.1.2", "message-signature-syntax", "unknown-algorithm", None, None,
    ),
    "ams_fields_b_head_case": (
        "The case of a field name does not count under relaxed.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_b_eol_wsp": (
        "White space at the end of a field does not count under relaxed.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_b_col_wsp": (
        "White space around the colon does not count under relaxed.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_b_empty": (
        "An empty b= is no signature.",
        "4.1.2", "message-signature-syntax", "bad-tag-value", None, None,
    ),
    "ams_fields_b_mod_sig": (
        "One changed letter in b=.",
        "4.1.2", "message-signature", "signature-mismatch", 1, None,
    ),
    "ams_fields_b_mod_headers2": (
        "A signed field was changed.",
        "4.1.2", "message-signature", "signature-mismatch", 1, None,
    ),
    "ams_fields_bh_sim_base": (
        "The body as it is, under simple.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_bh_sim_inl_wsp": (
        "Under simple a space more in the body counts.",
        "4.1.2", "message-signature", "body-hash-mismatch", 1, None,
    ),
    "ams_fields_bh_rel_inl_wsp": (
        "Under relaxed runs of white space are one space.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_bh_rel_trail_crlf": (
        "A body without a final line end gets one.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_bh_empty": (
        "An empty bh= is no hash.",
        "4.1.2", "message-signature-syntax", "bad-tag-value", None, None,
    ),
    "ams_fields_bh_mod_sig": (
        "A changed bh= is not the hash of the body.",
        "4.1.2", "message-signature", "body-hash-mismatch", 1, None,
    ),
    "ams_fields_c_na": (
        "The suite takes relaxed for a missing c=; exceptions.toml has why we do not.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_c_rr": (
        "Both canonicalizations relaxed.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_c_sr": (
        "Simple for the fields, relaxed for the body.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_c_invalid": (
        "A canonicalization that is not known fails.",
        "4.1.2", "message-signature-syntax", "unknown-canonicalization", None, None,
    ),
    "ams_fields_d_empty": (
        "An empty d= is no domain.",
        "4.1.2", "message-signature-syntax", "bad-tag-value", None, None,
    ),
    "ams_fields_h_empty": (
        "A signature over no field at all verifies: a set asserts no author.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_h_cws2": (
        "Folds around the colons of h= are passed over.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_h_dup1": (
        "A field named twice is taken from the bottom up.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_h_mis_hdr": (
        "An empty name in h= selects no field.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_h_includes_ams": (
        "A message signature over an older message signature is tolerated.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_h_dup2": (
        "Two fields of one name that changed places are no longer what was signed.",
        "4.1.2", "message-signature", "signature-mismatch", 1, None,
    ),
    "ams_fields_h_empty_added": (
        "A field that was signed as absent was added.",
        "4.1.2", "message-signature", "signature-mismatch", 1, None,
    ),
    "ams_fields_s_na": (
        "Without s= there is no key.",
        "4.1.2", "message-signature-syntax", "missing-tag", None, None,
    ),
    "ams_fields_t_na": (
        "t= is optional.",
        "4.1.2", "valid", None, None, 0,
    ),
    "ams_fields_t_invalid": (
        "A word in t= is no time.",
        "4.1.2", "message-signature-syntax", "bad-tag-value", None, None,
    ),
    "as_struct_i_empty": (
        "An empty i= puts the seal into no set.",
        "4.2.1", "seal-syntax", "bad-instance", None, None,
    ),
    "as_struct_i_invalid": (
        "A word is no instance.",
        "4.2.1", "seal-syntax", "bad-instance", None, None,
    ),
    "as_struct_missing": (
        "A set without a seal is none.",
        "5.2", "missing-field", None, 1, None,
    ),
    "as_format_eq_wsp": (
        "White space around the = of a tag is passed over.",
        "4.1.3", "valid", None, None, 0,
    ),
    "as_format_tags_unknown": (
        "A tag that is not known is signed and otherwise passed over.",
        "4.1.3", "valid", None, None, 0,
    ),
    "as_format_tags_dup": (
        "A tag that stands twice makes the list invalid.",
        "4.1.3", "seal-syntax", "tag-list", None, None,
    ),
    "as_format_tags_val_case": (
        "d= in another case names the same key, but is not what was signed.",
        "4.1.3", "seal", "signature-mismatch", 1, None,
    ),
    "as_format_tags_sc": (
        "A semicolon too many makes the list invalid.",
        "4.1.3", "seal-syntax", "tag-list", None, None,
    ),
    "as_fields_i_dup2": (
        "Two seals of one instance.",
        "5.2", "repeated-field", None, 2, None,
    ),
    "as_fields_a_sha1": (
        "RFC 8301 forbids SHA-1 in seals, too.",
        "4.1.3", "seal-syntax", "rsa-sha1", None, None,
    ),
    "as_fields_a_empty": (
        "An empty a= is no algorithm.",
        "4.1.3", "seal-syntax", "unknown-algorithm", None, None,
    ),
    "as_fields_b_ignores_wsp": (
        "White space in b= is passed over.",
        "4.1.3", "valid", None, None, 0,
    ),
    "as_fields_b_head_unfold": (
        "Folds in the sealed fields do not count: seals are always relaxed.",
        "5.1.1", "valid", None, None, 0,
    ),
    "as_fields_b_inl_wsp": (
        "Runs of white space in the sealed fields count as one.",
        "5.1.1", "valid", None, None, 0,
    ),
    "as_fields_b_512": (
        "A key of 512 bits verifies nothing.",
        "4.1.3", "message-signature", "key-too-small", 1, None,
    ),
    "as_fields_b_2048": (
        "A key of 2048 bits.",
        "4.1.3", "valid", None, None, 0,
    ),
    "as_fields_b_empty": (
        "An empty b= is no signature.",
        "4.1.3", "seal-syntax", "bad-tag-value", None, None,
    ),
    "as_fields_b_mod_sig": (
        "One changed letter in b=.",
        "4.1.3", "seal", "signature-mismatch", 1, None,
    ),
    "as_fields_b_ams1": (
        "A seal covers the message signature of its own set.",
        "5.1.1", "seal", "signature-mismatch", 1, None,
    ),
    "as_fields_cv_na": (
        "A seal without cv= says nothing of the chain.",
        "4.1.3", "seal-syntax", "missing-status", None, None,
    ),
    "as_fields_cv_invalid": (
        "A word that is no chain validation status.",
        "3.9", "seal-syntax", "bad-status", None, None,
    ),
    "as_fields_d_empty": (
        "An empty d= is no domain.",
        "4.1.3", "seal-syntax", "bad-tag-value", None, None,
    ),
    "as_fields_h_present": (
        "h= in a seal fails the chain.",
        "4.1.3", "seal-syntax", "seal-names-fields", None, None,
    ),
    "as_fields_s_empty": (
        "An empty s= is no selector.",
        "4.1.3", "seal-syntax", "bad-tag-value", None, None,
    ),
    "as_fields_t_empty": (
        "An empty t= in the seal; the results are indented here and so a part of the message signature, which is looked at first.",
        "4.1.3", "message-signature-syntax", "tag-list", None, None,
    ),
    "aar_struct_i_na": (
        "Results without an instance belong to no set.",
        "4.1.1", "authentication-results-syntax", "missing-instance", None, None,
    ),
    "aar_struct_i_zero": (
        "Instances begin with 1.",
        "4.2.1", "authentication-results-syntax", "bad-instance", None, None,
    ),
    "aar_struct_dup": (
        "Two ARC-Authentication-Results of one instance.",
        "5.2", "repeated-field", None, 1, None,
    ),
    "aar_missing": (
        "A set without ARC-Authentication-Results is none.",
        "5.2", "missing-field", None, 1, None,
    ),
    "aar_i_wrong": (
        "Results of instance 2 leave instance 1 without.",
        "5.2", "missing-field", None, 1, None,
    ),
    "aar_i_no_semi": (
        "A semicolon ends the instance.",
        "4.1.1", "authentication-results-syntax", "no-semicolon", None, None,
    ),
    "public_key_na": (
        "There is no key record for the seal.",
        "5.2", "seal", "no-key", 1, None,
    ),
    "ams_as_diff_s_d": (
        "Message signature and seal may have different domains and selectors.",
        "4.1.3", "valid", None, None, 0,
    ),
}


def crlf(text):
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def zone(texts):
    lines = []
    for name, text in texts.items():
        text = text.replace("\n", "")
        strings = " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))
        lines.append(f"{name}. TXT {strings}")
    return "\n".join(lines)


def case(name, why, rfc, texts, file, now):
    return [
        "[[case]]",
        f'name = "{name.replace("_", "-")}"',
        f"why = {json.dumps(why)}",
        f'rfc = "8617 {rfc}"',
        f'source = "{SOURCE.format(file=file, name=name)}"',
        f"now = {now}",
        f'message = "{{directory}}/{name.replace("_", "-")}.eml"',
        f"zone = '''\n{zone(texts)}\n'''",
    ]


def validation(suite):
    (HERE / "suite").mkdir(exist_ok=True)
    out = ["# Written by convert.py."]
    for scenario in suite["scenarios"]:
        for test in scenario["tests"]:
            name = test["name"]
            why, rfc, cause, detail, instance, oldest = WHY[name]
            (HERE / "suite" / f"{name.replace('_', '-')}.eml").write_bytes(crlf(test["message"]))
            lines = case(name, why, rfc, scenario["txt"], "arc-draft-validation-tests", 1500000000)
            lines += [f'expect.result = "{test["cv"]}"', f'expect.cause = "{cause}"']
            if detail:
                lines.append(f'expect.detail = "{detail}"')
            if instance:
                lines.append(f"expect.instance = {instance}")
            if oldest is not None:
                lines.append(f"expect.oldest_pass = {oldest}")
            out += ["", *lines]
    text = "\n".join(out).replace("{directory}", "suite") + "\n"
    (HERE / "suite.toml").write_text(text)


SEALING_WHY = {
    "message_body_eol_wsp": "White space at the end of a line of the body is not signed under relaxed.",
    "message_body_end_lines": "Empty lines at the end of the body are not signed.",
    "headers_field_name_case": "Names of fields are signed in lower case.",
    "headers_eol_wsp": "White space at the end of a field is not signed.",
    "headers_col_wsp": "White space around the colon is not signed.",
    "i1_base": "A second set on a chain that passes.",
    "i1_base_fail": "A set that says fail signs itself alone.",
    "no_additional_sig": "No set goes on top of one that says fail.",
    "ar_merged2": "The results of three fields of ours go into one; a fourth is not ours.",
}


def sealing(suite):
    directory = HERE / "seal"
    directory.mkdir(exist_ok=True)
    out = ["# Written by convert.py."]
    for scenario in suite["scenarios"]:
        (HERE.parent / "keys" / "arc-suite.pem").write_text(scenario["private_key_pem"])
        for test in scenario["tests"]:
            name = test["name"]
            (directory / f"{name.replace('_', '-')}.eml").write_bytes(crlf(test["message"]))
            why = SEALING_WHY[name]
            lines = case(name, why, "5.1", scenario["txt"], "arc-draft-sign-tests", test["t"])
            lines += [
                f'input.domain = "{scenario["domain"]}"',
                f'input.selector = "{scenario["selector"]}"',
                f"input.fields = {json.dumps(test['sig_headers'].split(':'))}",
                f'input.authserv_id = "{test["srv_id"]}"',
                f"expect.authentication_results = {json.dumps(test['AAR'].strip())}",
                f"expect.message_signature = {json.dumps(test['AMS'].strip())}",
                f"expect.seal = {json.dumps(test['AS'].strip())}",
            ]
            out += ["", *lines]
    text = "\n".join(out).replace("{directory}/", "") + "\n"
    (directory / "suite.toml").write_text(text)


if __name__ == "__main__":
    validation(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    sealing(json.loads(pathlib.Path(sys.argv[2]).read_text()))
