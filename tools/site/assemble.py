"""Puts the pages of the site together, for MkDocs: assemble.py PROGRAM FOLDER PROJECT-URL. tools/site/build calls it.

Pages in site/pages may have lines that begin with "@":

    @include FILE            a file of the project, without its title
    @include FILE#Heading    one section of it, without its heading
    @chart                   the chart of bench/results.md
    @cast NAME               the recording site/casts/NAME.cast
    @cast NAME else FILE#Heading   the same, or the first session in that section until there is a recording
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys

import chart
import commands
import links
import manual
import screen
import yaml

SITE = os.path.join(links.ROOT, "site")


def section(path, title):
    """The text of the section `title` of a Markdown file, without its heading."""
    text = links.read(path)
    found = re.search(rf"(?ms)^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", text)
    if not found:
        raise ValueError(f"{path} has no section '{title}'")
    return found[2].strip() + "\n"


def without_title(text):
    return re.sub(r"\A# .*\n+", "", text)


def named(what):
    """The text that "FILE" or "FILE#Heading" names, and the file."""
    path, _, title = what.partition("#")
    return (section(path, title) if title else without_title(links.read(path))), path


def cast(name, otherwise):
    """A recording, or the session that stands in for it, or nothing."""
    path = os.path.join(SITE, "casts", f"{name}.cast")
    if os.path.exists(path):
        return screen.figure(path)
    if not otherwise:
        return ""
    text, path = named(otherwise)
    shown = re.search(r"(?ms)^```\n(\$ .*?)^```$", text)
    if not shown:
        raise ValueError(f"{otherwise}: there is no session")
    return f'<figure class="cast"><figcaption>A first VM (shortened, from the README)</figcaption>\n<pre tabindex="0">{html.escape(shown[1].rstrip())}</pre></figure>'


class Site:
    def __init__(self, program, folder, project_url):
        self.folder = folder
        self.pages = os.path.join(folder, "pages")
        self.links = links.Links(project_url)
        said = subprocess.run([program, "help", "--json"], check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
        self.commands = json.loads(said)

    def write(self, page, text):
        path = os.path.join(self.pages, page)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def directive(self, line, page):
        """What stands in place of a line that begins with "@"."""
        word, _, rest = line[1:].partition(" ")
        if word == "include":
            text, path = named(rest)
            return self.links.rewrite(text, path, page)
        if word == "chart":
            return chart.svg(links.read("bench/results.md"))
        if word == "cast":
            name, _, otherwise = rest.partition(" else ")
            return cast(name, otherwise)
        raise ValueError(f"{page}: '@{word}' is not known")

    def documents(self):
        for name in links.documents():
            self.write(name, self.links.rewrite(links.read(f"docs/{name}"), f"docs/{name}", name))
        self.write("changelog.md", self.links.rewrite(links.read("CHANGELOG.md"), "CHANGELOG.md", "changelog.md"))

    def own_pages(self):
        top = os.path.join(SITE, "pages")
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                page = os.path.relpath(os.path.join(folder, name), top)
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    lines = file.read().splitlines()
                self.write(page, "\n".join(self.directive(line, page) if line.startswith("@") else line for line in lines) + "\n")

    def manual(self):
        for path, page in links.PAGES.items():
            if path.startswith("man/"):
                self.write(page, manual.page(links.read(path)))
        self.write("manual/index.md", "# Manual pages\n\n" + section("README.md", "A tour").split("\n\n")[-1].split("The manual is")[0].strip()
                   + "\n\n- [machine(1)](machine.1.md): the commands\n- [projects.toml(5)](projects.toml.5.md): the keys of the configuration\n"
                   "- [provision.toml(5)](provision.toml.5.md): the keys of recipes and profiles\n")

    def command_pages(self):
        text = links.read("man/machine.1.scd")
        self.write("commands/index.md", commands.index(self.commands))
        for command in self.commands:
            self.write(f"commands/{command['name']}.md", commands.page(command, text))

    def configuration(self):
        with open(os.path.join(SITE, "mkdocs.yml"), encoding="utf-8") as file:
            settings = yaml.safe_load(file)
        groups = [{title: [f"commands/{each['name']}.md" for each in group]} for title, group in commands.grouped(self.commands)]
        internal = [f"commands/{each['name']}.md" for each in self.commands if each["internal"]]
        groups[-1]["More"] += internal
        folders = {"commands/": ["commands/index.md", *groups],
                   "manual/": ["manual/index.md", *[page for page in links.PAGES.values() if page.startswith("manual/")]]}
        settings["nav"] = filled(settings["nav"], folders)
        settings["docs_dir"] = "pages"
        if self.links.forge:
            settings["nav"].append({"Source": self.links.forge})
        with open(os.path.join(self.folder, "mkdocs.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(settings, file, sort_keys=False)

    def build(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(os.path.join(SITE, "assets"), os.path.join(self.pages, "assets"))
        self.documents()
        self.own_pages()
        self.manual()
        self.command_pages()
        self.configuration()


def filled(nav, folders):
    """The navigation with the pages of generated folders in place of the folders' names."""
    if isinstance(nav, list):
        return [filled(each, folders) for each in nav]
    if isinstance(nav, dict):
        return {title: filled(each, folders) for title, each in nav.items()}
    return folders.get(nav, nav)


if __name__ == "__main__":
    Site(*sys.argv[1:]).build()
