// SPDX-License-Identifier: Apache-2.0
// Opens pages in headless Chromium and checks what only a browser can tell.
//
//   node browser.mjs DIR [SHOTS]
//
// DIR holds one.html, ten.html, sixty.html and hostile.html. With SHOTS, a
// directory, pictures of each page are left there to be looked at. Prints what
// is wrong, one line each, and ends with 1 where anything is.
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [dir, shots] = process.argv.slice(2);
const wrong = [];
const check = (ok, what) => { if (!ok) wrong.push(what); };

const chrome = await chromium.launch({
  executablePath: process.env.ADVISOR_CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync"],
});
const context = (options) => chrome.newContext({
  offline: true, // a page that loads anything shows it here
  viewport: { width: 1360, height: 900 },
  ...options,
});

// open loads a page and notes every error, refusal and request of it.
async function open(browser, name) {
  const page = await browser.newPage();
  page.on("pageerror", (e) => wrong.push(`${name}: script error: ${e.message}`));
  page.on("console", (m) => {
    if (["error", "warning"].includes(m.type())) wrong.push(`${name}: console: ${m.text()}`);
  });
  page.on("request", (r) => {
    if (!r.url().startsWith("file:") && !/^(data|blob):/.test(r.url())) wrong.push(`${name}: request: ${r.url()}`);
  });
  await page.goto(pathToFileURL(resolve(dir, name + ".html")).href);
  return page;
}

async function shot(page, name, options = { fullPage: true }) {
  if (shots) await page.screenshot({ path: join(shots, name + ".png"), ...options });
}

// drawn waits for the graph.
const drawn = (page) => page.waitForSelector("#graph canvas", { timeout: 20000 });

async function looks(name, options, as) {
  const browser = await context(options);
  const page = await open(browser, name);
  await drawn(page);
  await page.waitForTimeout(300);
  check(await page.title() !== "owned", `${name}: the page's title was taken over`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(wide <= 1, `${as}: the page scrolls sideways by ${wide} pixels`);
  await accessible(page, as);
  await shot(page, as);
  await browser.close();
}

// accessible runs axe: contrast, names of controls, order of headings.
async function accessible(page, as) {
  await page.evaluate(axe.source); // in the page's world, past its own policy
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const v of violations) {
    wrong.push(`${as}: ${v.id}: ${v.help}: ${v.nodes.length} times, such as ${v.nodes[0].html.slice(0, 160)}`);
  }
}

// keys goes through the page as someone without a mouse does.
async function keys() {
  const browser = await context({});
  const page = await open(browser, "ten");
  await drawn(page);
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.className) === "skip", "the first stop is not the skip link");

  await page.focus("#graph");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  check(await page.textContent("#say") !== "", "arrow keys in the graph say nothing");
  await page.keyboard.press("Enter");
  check(await page.isVisible("#panel"), "Enter on a node of the graph opens no evidence");
  check((await page.textContent("#panel")).includes("TCP/"), "the panel has no flow");
  await shot(page, "ten-panel", {});
  await page.keyboard.press("Escape");
  check(!await page.isVisible("#panel"), "Escape leaves the panel open");
  check(await page.evaluate(() => document.activeElement.id) === "graph", "focus does not return");

  // A line of a policy leads to its evidence.
  await page.evaluate(() => { document.querySelectorAll("#w0 details").forEach((d) => { d.open = true; }); });
  await page.waitForSelector("#w0 .ln");
  await page.focus("#w0 .ln");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  check(/\d×/.test(await page.textContent("#panel")), "a line of the policy shows no evidence");
  await shot(page, "ten-rule", {});
  await page.click("#panel-close");

  await page.click("#w0 .copy button");
  const copied = page.waitForFunction(() => /Copied|Selected/.test(document.querySelector("#w0 .copy button").textContent));
  check(await copied.then(() => true, () => false), "a patch cannot be copied");
  await page.click("#network .legend button");
  check(await page.getAttribute("#network .legend button", "aria-pressed") === "false", "the legend does not switch");
  await page.click(".grid td a");
  check((await page.textContent("#panel h2")).startsWith("Capability"), "a cell of the matrix shows no evidence");
  await page.keyboard.press("Escape");
  await page.fill("#filter", "catalog");
  check(await page.locator(".workload:visible").count() === 1, "the filter does not leave one workload");
  await page.fill("#filter", "");
  await page.click("#theme");
  check(await page.evaluate(() => document.documentElement.dataset.theme) === "dark", "the theme does not change");
  await browser.close();
}

// folds checks that a large graph begins folded and opens.
async function folds() {
  const browser = await context({});
  const page = await open(browser, "sixty");
  await drawn(page);
  check(await page.isVisible("#graph-fold"), "a large graph is not folded");
  check(await page.locator(".matrix").count() === 1, "a large graph has no matrix");
  await page.click(".matrix summary");
  await (await page.$(".matrix")).screenshot(shots ? { path: join(shots, "sixty-matrix.png") } : {});
  await page.focus("#graph");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  check((await page.textContent("#say")).includes("unfolded"), "Enter does not unfold a namespace");
  await page.waitForTimeout(300);
  if (shots) await (await page.$("#network")).screenshot({ path: join(shots, "sixty-one-unfolded.png") });
  await browser.close();
}

// plain checks that scripts only add: the same rows are there without them.
async function plain() {
  const with_ = await context({}), without = await context({ javaScriptEnabled: false });
  for (const name of ["one", "ten"]) {
    const counts = [];
    for (const browser of [with_, without]) {
      const page = await open(browser, name);
      counts.push(await page.locator("main tr").count() + "," + await page.locator("main pre").count());
      if (browser === without) await shot(page, name + "-noscript");
    }
    check(counts[0] === counts[1], `${name}: rows and policies with scripts ${counts[0]}, without ${counts[1]}`);
  }
  await with_.close();
  await without.close();
}

async function paper() {
  const browser = await context({ colorScheme: "dark" });
  const page = await open(browser, "ten");
  await drawn(page);
  const pdf = await page.pdf({ format: "A4", printBackground: true, ...(shots ? { path: join(shots, "ten.pdf") } : {}) });
  check(pdf.length > 50000, "printing gives next to nothing");
  await browser.close();
}

try {
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  for (const name of ["one", "ten", "sixty"]) {
    await looks(name, {}, name + "-light");
    await looks(name, { colorScheme: "dark" }, name + "-dark");
    await looks(name, phone, name + "-phone");
  }
  await looks("hostile", {}, "hostile");
  await keys();
  await folds();
  await plain();
  await paper();
} finally {
  await chrome.close();
}
for (const line of wrong) console.log(line);
process.exitCode = wrong.length ? 1 : 0;
