"""CA certificates that only this computer trusts, as the doctor sees them. This computer may have some of its own; those of the tests
are named by the environment."""

import pytest
import records

CA = "-----BEGIN CERTIFICATE-----\nTWFjaGluZQ==\n-----END CERTIFICATE-----\n"


def found(program, word):
    """The doctor's lines about certificates that have this word."""
    return [check for check in program.checks() if check["name"] == "certificates" and word in check["detail"] + (check["hint"] or "")]


@pytest.fixture
def named(program):
    """A CA that Node.js is told to trust."""
    program.environment["NODE_EXTRA_CA_CERTS"] = program.write("corp.pem", CA)
    return program


def test_a_ca_that_only_this_computer_trusts_leads_to_the_setting(named):
    records.write(named.state, "blog")
    (check,) = found(named, "corp.pem")
    assert check["status"] == "warning"
    assert f"'{named.root}/corp.pem' (NODE_EXTRA_CA_CERTS)" in check["detail"] and check["detail"].endswith("; VMs that do not: blog")
    assert f"write trust_host_ca = true into '{named.config}/machine/config.toml', then: machine up blog" in check["hint"]


def test_without_a_vm_the_setting_is_enough(named):
    (check,) = found(named, "corp.pem")
    assert check["detail"].endswith("; a new VM does not") and check["hint"].endswith("config.toml'")


def test_nothing_is_said_of_a_ca_that_is_not_there(program):
    assert found(program, "corp.pem") == []
    program.environment["NODE_EXTRA_CA_CERTS"] = program.write("corp.pem", "no certificate\n")
    assert found(program, "corp.pem") == []


def test_with_the_setting_only_vms_without_it_are_named(named):
    named.write("config/machine/config.toml", "trust_host_ca = true\n")
    for name, has in (("blog", False), ("shop", True), ("wiki", False)):
        records.write(named.state, name, host_ca=has)
    (check,) = found(named, "corp.pem")
    assert check["status"] == "warning" and check["detail"].endswith("; VMs that do not: blog, wiki")
    assert check["hint"] == "machine up blog; machine up wiki"


@pytest.mark.parametrize("vms, end", [(["blog"], "and so do all of its VMs"), ([], "and so do new VMs")])
def test_when_all_of_them_have_it_that_is_all_right(named, vms, end):
    named.write("config/machine/config.toml", "trust_host_ca = true\n")
    for name in vms:
        records.write(named.state, name, host_ca=True)
    (check,) = found(named, "corp.pem")
    assert check["status"] == "ok" and check["detail"].endswith(end)


def test_a_variable_that_names_no_file_is_said(program):
    program.environment["REQUESTS_CA_BUNDLE"] = "/no/such/bundle.pem"
    (check,) = found(program, "bundle.pem")
    assert check["status"] == "warning" and "'/no/such/bundle.pem' (REQUESTS_CA_BUNDLE)" in check["detail"]
    assert check["hint"].startswith("unset REQUESTS_CA_BUNDLE")
