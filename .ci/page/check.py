"""check.py AXE TREND CROWDED PAGE...: looks at pages with axe-core, with the keyboard alone and without JavaScript.

Nearly all of the time is axe-core's, so the looks are dealt to as many processes as there are CPUs, each with a browser of its own.
"""

import concurrent.futures
import gzip
import json
import os
import sys
import tempfile
import time

from browser import Browser

WIDTHS = [1280, 768, 360]
# Width and whether it is dark: each width once, and both modes where most of a page is on the screen.
LOOKS = [(1280, False), (1280, True), (768, False), (360, True)]
# Within which the whole verdict must be seen without scrolling, in pixels.
FIRST_SCREEN = (1280, 900)

# What a reader can work: what has a place on the page and takes the focus. Of radio buttons the chosen one does, and arrow keys go on.
CONTROLS = """
globalThis.controls = () => [...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
    .filter((one) => one.checkVisibility() && !one.disabled && (one.type !== 'radio' || one.checked))
"""
RUN_AXE = """
axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations.map((violation) => ({
    rule: violation.id, help: violation.help, count: violation.nodes.length,
    first: violation.nodes[0].html.slice(0, 160), why: (violation.nodes[0].any[0] || violation.nodes[0].all[0] || {}).message,
})))
"""
# axe-core passes over what is folded, which takes it time all the same.
CUT_FOLDED = """
document.querySelectorAll('details:not([open])').forEach((one) => {
    [...one.childNodes].filter((part) => part.nodeName !== 'SUMMARY').forEach((part) => part.remove());
}); 0
"""
OPEN_ALL = "document.querySelectorAll('details:not(.why)').forEach((one) => { one.open = true; })"


def violations(browser, axe):
    """What axe-core objects to in the page as it stands."""
    browser.evaluate(axe + "; 0")
    return [json.dumps(found) for found in browser.evaluate(RUN_AXE)]


def too_wide(browser):
    """How far the page reaches beyond its window."""
    over = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"the page is {over} px wider than the window"] if over > 0 else []


def too_long(browser):
    """How far the verdict, its plot and its short answers reach below the first screen of a window that is that wide, and tables into the plot."""
    bottom = browser.evaluate("document.querySelector('.verdict').getBoundingClientRect().bottom + scrollY")
    height = FIRST_SCREEN[1]
    faults = [f"the first screen ends at {bottom:.0f} px, below the window's {height} px"] if bottom > height else []
    over = browser.evaluate("""Math.max(0, ...[...document.querySelectorAll('.verdicts')].filter((one) => one.checkVisibility())
        .map((one) => one.getBoundingClientRect().right - one.closest('.steps').getBoundingClientRect().right))""")
    return faults + ([f"a table of verdicts reaches {over:.0f} px into the plot"] if over >= 1 else [])


def looked_at(browser, page, axe, width, dark):
    """Faults of a page at a width, in light or dark mode, as it opens and with everything unfolded."""
    states = [("as it opens", CUT_FOLDED)]
    # Unfolded a page is long, so two of the four are looked at.
    if (width, dark) in (LOOKS[0], LOOKS[-1]):
        states.append(("unfolded", OPEN_ALL + "; 0"))
    for state, make in states:
        browser.open(page, width, dark)
        wide = too_wide(browser)
        browser.evaluate(make)
        for fault in violations(browser, axe) + (too_wide(browser) or wide):
            yield f"axe-core, {width} px, {'dark' if dark else 'light'}, {state}: {fault}"


def unreached(browser):
    """Controls that the Tab key does not reach, and those that do not show that they have the focus."""
    browser.evaluate(CONTROLS + "; globalThis.left = new Set(controls()); globalThis.plain = []; 0")
    count = browser.evaluate("left.size")
    if count < 20:
        yield f"only {count} controls were found"
    note = """(() => {
        const one = document.activeElement;
        left.delete(one);
        if (one !== document.body && getComputedStyle(one).outlineStyle === 'none') plain.push(one.outerHTML.slice(0, 120));
        return left.size;
    })()"""
    for _ in range(count + 20):
        browser.key("Tab")
        if browser.evaluate(note) == 0:
            break
    for one in browser.evaluate("[...left].map((one) => one.outerHTML.slice(0, 120))")[:5]:
        yield f"the Tab key does not reach {one}"
    for one in browser.evaluate("plain")[:5]:
        yield f"the focus cannot be seen on {one}"


# What a key does: a control, the key, and what must be true then.
DEEDS = [
    ("a heading sorts its table", ".sortable thead button", "Enter", "document.querySelector('[aria-sort=ascending]') !== null"),
    ("all columns are shown", ".tools:has(output) button[aria-pressed]", " ", "document.querySelector('.many:not(.few)') !== null"),
    ("a fold opens", "summary", "Enter", "document.querySelector('summary').parentNode.open"),
    ("a lock stands out", ".locks button", " ", "document.querySelector('g.faint') !== null && document.querySelector('g[data-lock]:not(.faint)') !== null"),
    ("another step is chosen", "[type=radio]:checked", "ArrowDown", "before !== rowsShown()"),
    ("a table is copied", ".many.sortable", "copy", "[...document.querySelectorAll('output')].some((one) => one.value === 'Copied')"),
    ("an environment is chosen", ".choice .tools button:nth-of-type(2)", "Enter", "document.querySelector('figure[hidden]') !== null"),
]


def worked(browser):
    """Deeds that the keyboard could not do."""
    for name, control, key, done in DEEDS:
        if key == "copy":
            find = "[...document.querySelectorAll('.tools button')].find((one) => one.checkVisibility() && one.textContent.startsWith('Copy'))"
            key = "Enter"
        else:
            find = f"[...document.querySelectorAll({json.dumps(control)})].find((one) => one.checkVisibility())"
        if not browser.evaluate(f"{find} && ({find}.focus(), true)"):
            # A run with one step of overcommit has no other to choose.
            if "radio" not in control or browser.evaluate("document.querySelectorAll('.panel').length > 1"):
                yield f"{name}: there is no {control}"
            continue
        # The rows of verdicts that are shown, and those before the key.
        browser.evaluate(
            "globalThis.rowsShown = () => [...document.querySelectorAll('.verdicts')].filter((one) => one.checkVisibility())"
            ".map((one) => one.innerText).join(); globalThis.before = rowsShown(); 0"
        )
        browser.key(key)
        if not eventually(lambda: browser.evaluate(done)):
            yield f"{name}: the key did nothing"
    find = "[...document.querySelectorAll('.tools input')].find((one) => one.checkVisibility())"
    browser.evaluate(f"{find}.focus()")
    browser.call("Input.insertText", text="no such row")
    if browser.evaluate(f"{find}.closest('.tools').querySelector('output').value")[:5] != "0 of ":
        yield "a table is filtered: the text did nothing"


def eventually(done):
    """Whether something comes true within bounds."""
    for _ in range(100):
        if done():
            return True
        time.sleep(0.05)
    return False


def saved(browser, page, script):
    """Faults of the data that the first link of the page's data saves, with and without JavaScript."""
    browser.open(page, 1280, script=script)
    with tempfile.TemporaryDirectory() as into:
        browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=into)
        browser.evaluate("document.querySelector('a[download]').focus()")
        browser.key("Enter")
        finished = lambda: [name for name in os.listdir(into) if not name.endswith(".crdownload") and not name.startswith(".")]
        if not eventually(finished):
            return ["nothing was saved"]
        time.sleep(0.2)
        name = finished()[0]
        with open(os.path.join(into, name), "rb") as file:
            content = file.read()
    if name.endswith(".json.gz") == script:
        return [f"the file is called {name}"]
    content = content if script else gzip.decompress(content)
    with open(os.path.join(os.path.dirname(page), "results.json")) as file:
        return [] if json.loads(content) == json.load(file) else ["what was saved is not results.json"]


def unseen(browser):
    """What a reader without JavaScript does not see. A small picture gives way to the large one that it opens to."""
    # What is shown for another choice of a radio button is to be seen; headings that name such a choice stand on its button.
    seen = """(() => {
        document.querySelectorAll('details').forEach((one) => { one.open = true; });
        const all = [...document.querySelectorAll('main :is(th, td, figure, li, p, svg, h2, h3):not(.of)')];
        let left = all.filter((one) => !one.checkVisibility() && !one.matches('[open] .spark'));
        for (const radio of document.querySelectorAll('[type=radio]')) {
            radio.checked = true;
            left = left.filter((one) => !one.checkVisibility());
        }
        return [all.length, left.map((one) => one.outerHTML.slice(0, 120)).slice(0, 5)];
    })()"""
    if browser.evaluate("document.querySelector('.tools') !== null"):
        yield "the script ran all the same"
    count, hidden = browser.evaluate(seen)
    if count < 500:
        yield f"only {count} parts were found"
    for one in hidden:
        yield f"not to be seen: {one}"


def boxes(browser):
    """What scrolls inside the page."""
    return browser.evaluate("""[...document.querySelectorAll('body *')].filter((one) => {
        const { overflowX, overflowY } = getComputedStyle(one);
        const scrolls = (how) => how === 'auto' || how === 'scroll';
        return (scrolls(overflowX) && one.scrollWidth > one.clientWidth) || (scrolls(overflowY) && one.scrollHeight > one.clientHeight);
    }).map((one) => 'scrolls inside a box: ' + one.outerHTML.slice(0, 120))""")


def reached(browser, page):
    """Faults of a page that is walked through with the Tab key."""
    browser.open(page, 1280)
    for fault in unreached(browser):
        yield f"keyboard: {fault}"


def shown(browser, page):
    """Faults of a page without its script."""
    browser.open(page, 1280, script=False)
    for fault in unseen(browser):
        yield f"without JavaScript: {fault}"


def faults_of_trend(browser, page):
    """Faults of a trend page besides what axe-core finds: what is too wide, what scrolls, and what needs the script."""
    for width in WIDTHS:
        browser.open(page, width)
        browser.evaluate(OPEN_ALL + "; 0")
        for fault in too_wide(browser) + boxes(browser):
            yield f"{width} px: {fault}"
    yield from reached(browser, page)
    yield from shown(browser, page)


def faults_of_crowded(browser, page):
    """Faults of the first screen of a page of thirty locks, two of which are the user's own and rank low."""
    browser.open(page, FIRST_SCREEN[0])
    yield from too_long(browser)
    own = browser.evaluate("[...document.querySelectorAll('.verdicts .own')].filter((one) => one.checkVisibility()).length")
    if own != 2:
        yield f"{own} of two rows of the user's own locks are seen"
    for width in WIDTHS:
        browser.open(page, width)
        for fault in too_wide(browser):
            yield f"{width} px: {fault}"


def faults(browser, page):
    """Faults of a page besides what axe-core finds, with what was tried."""
    browser.open(page, FIRST_SCREEN[0])
    yield from too_long(browser)
    yield from reached(browser, page)
    browser.open(page, 1280)
    for fault in worked(browser):
        yield f"keyboard: {fault}"
    yield from shown(browser, page)
    for script in (True, False):
        for fault in saved(browser, page, script):
            yield f"saving {'with' if script else 'without'} JavaScript: {fault}"


# Faults that are put into a page, what looks for each, and what must be said of it: a check that finds none finds nothing at all.
DOCTORED = [
    ("document.querySelector('main').append(document.createElement('img'))", violations, "image-alt"),
    ("document.documentElement.style.setProperty('--muted', '#cccccc')", violations, "color-contrast"),
    ("document.querySelector('nav a').tabIndex = -1", unreached, "does not reach"),
    ("document.querySelector('nav a').style.outline = '0'", unreached, "cannot be seen"),
    ("document.querySelector('h1').style.width = '2000px'", too_wide, "wider than the window"),
    ("document.querySelector('.briefs').style.marginTop = '600px'", too_long, "below the window's"),
    ("document.querySelector('.verdicts').style.width = '1000px'; document.querySelector('.panel').style.display = 'block'", too_long, "into the plot"),
    ("document.querySelector('figure').hidden = true", unseen, "not to be seen"),
    ("document.querySelector('main').style.cssText = 'height: 9rem; overflow: auto'", boxes, "inside a box"),
]


def not_found(browser, page, axe):
    """Faults of doctored pages that are not found."""
    for fault, look, told in DOCTORED:
        browser.open(page, 1280, script=look is not unseen)
        # One picture and one link are enough for axe-core, and what is folded costs it time.
        browser.evaluate(CUT_FOLDED if look is violations else "0")
        browser.evaluate(fault + "; 0")
        found = list(look(browser, axe) if look is violations else look(browser))
        if not any(told in fault for fault in found):
            yield f"the check does not find a fault that was put into a page: {told}; it found {found[:3]}"


def tried(look, *arguments):
    """What a look in a browser of its own finds."""
    with Browser() as browser:
        return list(look(browser, *arguments))


def main():
    path, trend, crowded, *pages = sys.argv[1:]
    with open(path) as file:
        axe = file.read()
    looks = [(looked_at, page, axe, width, dark) for page in [*pages, trend] for width, dark in LOOKS]
    looks += [(not_found, pages[-1], axe), (faults_of_trend, trend), (faults_of_crowded, crowded)]
    looks += [(faults, page) for page in pages]
    # Several browsers at once; no more than a small machine has memory for.
    with concurrent.futures.ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as processes:
        waiting = [(look[1], processes.submit(tried, *look)) for look in looks]
        found = [f"page: {page}: {fault}" for page, result in waiting for fault in result.result()]
    print("".join(f"{fault}\n" for fault in found), end="")
    print(
        f"page: {len(pages)} pages, a trend page and a crowded one at {WIDTHS} px, light and dark, with the keyboard alone and without "
        f"JavaScript: {len(found)} faults"
    )
    sys.exit(1 if found or not pages else 0)


if __name__ == "__main__":
    main()
