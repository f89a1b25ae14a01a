"""`machine open` with a port that the project's `ports` forward already."""

import json
import os

import pytest
from alive import running
from program import wait_until

PORTS = [{"host": 3000, "guest": 3000}, {"host": 8080, "guest": 80}]


@pytest.fixture
def shop(program):
    with running(program, "shop", repos=[], ports=PORTS):
        yield program


@pytest.mark.parametrize("args, address", [
    (["3000"], "http://shop.localhost:3000/"),
    (["80"], "http://shop.localhost:8080/"),
    (["80", "--local", "8080"], "http://shop.localhost:8080/"),
])
def test_a_port_that_is_forwarded_is_opened_there_and_the_command_ends(shop, args, address):
    assert shop.run("open", "shop", *args, "--print").out == f"{address}\n"
    said = json.loads(shop.run("open", "shop", *args, "--print", "--json").out)
    assert (said["name"], said["url"]) == ("shop", address)


def test_the_browser_gets_the_address(shop):
    opener = shop.write("bin/xdg-open", '#!/bin/sh\necho "$*" >"$HOME/opened"\n')
    os.chmod(opener, 0o700)
    result = shop.run("open", "shop", "3000", env={"PATH": f"{shop.root}/bin:{shop.environment['PATH']}"})
    assert result.out == "http://shop.localhost:3000/\n"
    wait_until(lambda: os.path.exists(f"{shop.home}/opened") and shop.read("home/opened"), 10, "the browser is started")
    assert shop.read("home/opened") == "http://shop.localhost:3000/\n"


def test_a_port_of_this_computer_that_leads_elsewhere_in_the_vm_is_explained(shop):
    result = shop.run("open", "shop", "8080", status=1)
    assert "port 8080 on 127.0.0.1 leads to port 80 of VM 'shop' already" in result.err
    assert "machine open shop 80;" in result.err and "machine open shop 8080 --local 8081" in result.err
