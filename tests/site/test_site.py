"""The pages of the site lead nowhere that isn't there, and a browser shows them without an error, narrow and wide, light and dark."""

import html.parser
import os
import posixpath
import urllib.parse

import browser
import pytest

NARROW, WIDE = 390, 1440
LEAST_PAGES = 60
FORGE = "https://forge.example/jane/machine"


class Page(html.parser.HTMLParser):
    """What a page refers to, and the names of its places."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.places = [], [], {"", "__skip"}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        self.loaded += [values[name] for name in ("src", "href") if tag in ("script", "link", "img") and values.get(name)]


@pytest.fixture(scope="module")
def parsed(site):
    found = {}
    for page in site.pages():
        with open(os.path.join(site.folder, page), encoding="utf-8") as file:
            found[page] = Page(file.read())
    return found


def none(found):
    assert not found, "\n" + "\n".join(found)


def there(page, link):
    """The file in the site that a link leads to, and its place there."""
    path, _, place = urllib.parse.unquote(link).partition("#")
    if path:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    return path or page, place


def test_all_pages_are_there(parsed):
    assert len(parsed) >= LEAST_PAGES
    assert {"index.html", "guide.html", "commands/up.html", "manual/machine.1.html", "coming-from/lima.html"} <= set(parsed)


def test_no_link_is_dead(site, parsed):
    found = []
    for page, contents in parsed.items():
        for link in contents.links + contents.loaded:
            if urllib.parse.urlsplit(link).scheme:
                continue
            path, place = there(page, link)
            if path == ".":  # the site's own name at the top
                path = "index.html"
            if not os.path.isfile(os.path.join(site.folder, path)):
                found.append(f"{page}: '{link}': there is no '{path}'")
            elif path.endswith(".html") and place not in parsed[path].places:
                found.append(f"{page}: '{link}': '{path}' has no place '{place}'")
    none(found)


def test_nothing_is_loaded_from_elsewhere(parsed):
    none([f"{page}: {each}" for page, contents in parsed.items() for each in contents.loaded if urllib.parse.urlsplit(each).netloc])


def test_files_that_are_no_pages_are_linked_at_the_forge(parsed):
    assert f"{FORGE}/blob/HEAD/guest/README.md" in parsed["architecture.html"].links


@pytest.fixture(params=[(NARROW, "light"), (NARROW, "dark"), (WIDE, "light"), (WIDE, "dark")], ids=lambda value: f"{value[0]}-{value[1]}")
def chromium(request, tmp_path):
    if browser.why_not():
        pytest.skip(browser.why_not())
    chromium = browser.Browser(str(tmp_path), *request.param)
    yield chromium
    chromium.close()


def troubles(address, events):
    """What went wrong while a page was loaded: requests to others, requests that failed, errors on the console."""
    for event in events:
        method, values = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            url = values["request"]["url"]
            if not url.startswith((address, "data:", "blob:")):
                yield f"a request to {url}"
        elif method == "Network.responseReceived" and values["response"]["status"] >= 400:
            yield f"{values['response']['status']} for {values['response']['url']}"
        elif method == "Runtime.exceptionThrown":
            yield f"an exception: {values['exceptionDetails'].get('exception', {}).get('description')}"
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            yield f"on the console: {[each.get('value') for each in values['args']]}"
        elif method == "Log.entryAdded" and values["entry"]["level"] == "error":
            yield f"an error: {values['entry']['text']} {values['entry'].get('url', '')}"


def test_a_browser_shows_each_page_without_a_flaw(site, chromium):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrast.js"), encoding="utf-8") as file:
        contrast = file.read()
    found, texts = [], 0
    for page in site.pages():
        events = chromium.visit(site.address + page)
        found += [f"{page}: {each}" for each in troubles(site.address, events)]
        wide, window = chromium.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
        if wide > window:
            found.append(f"{page}: is {wide} pixels wide in a window of {window}")
        said = chromium.evaluate(contrast)
        texts += said["seen"]
        found += [f"{page}: contrast {each}" for each in said["found"]]
    assert texts > 100 * len(site.pages()) / 2
    none(found)


def test_text_without_contrast_is_noticed(site, chromium):
    """So that the test above looks at what it means to look at."""
    chromium.visit(site.address + "index.html")
    chromium.evaluate("document.querySelector('h1').style.color = 'rgba(127, 127, 127, .8)', 0")
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrast.js"), encoding="utf-8") as file:
        said = chromium.evaluate(file.read())
    assert any(" h1." in each for each in said["found"])


# The shortest of the recordings; a first VM takes a minute.
SHORT = """[...document.querySelectorAll('.cast script')].map(script => script.parentElement)
           .find(figure => figure.querySelector('pre').textContent.includes('steal.sh'))"""


def test_a_recording_plays_to_its_end(site, chromium):
    chromium.visit(site.address + "index.html")
    whole = chromium.evaluate(f"({SHORT}).querySelector('pre').textContent")
    script = f"const figure = {SHORT};" + """new Promise(done => {
      const button = figure.querySelector('button');
      const seen = [];
      new MutationObserver(() => {
        seen.push(figure.querySelector('pre').textContent.trim().length);
        if (button.textContent === 'Play') done([Math.min(...seen), figure.querySelector('pre').textContent]);
      }).observe(figure, { subtree: true, childList: true, characterData: true });
      button.click();
    })"""
    least, at_the_end = chromium.evaluate(script)
    assert least < 10
    assert at_the_end == whole


def test_search_finds_a_key_of_the_configuration(site, chromium):
    chromium.visit(site.address + "index.html")
    script = """new Promise(done => {
      const field = document.querySelector("[data-md-component='search-query']");
      const results = document.querySelector("[data-md-component='search-result'] ol");
      new MutationObserver(() => {
        const links = [...results.querySelectorAll("a")].map((link) => link.getAttribute("href"));
        if (links.length) done(links);
      }).observe(results, { subtree: true, childList: true });
      field.focus();
      field.value = "forward_agent";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
    })"""
    assert any("configuration" in link for link in chromium.evaluate(script))
