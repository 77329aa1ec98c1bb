// Opens pages in Chromium as people do, and says what is wrong: accessibility (axe), sideways scrolling, requests to anywhere,
// errors of scripts, bars that cannot be compared, captions broken within a word, the readout and the enlarged view by keyboard,
// paper that is too narrow. Leaves screenshots and a PDF to look at.
// `npm install puppeteer-core axe-core`, then `node browser.mjs OUT_FOLDER PAGE.html…` (CHROMIUM names the browser).
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.cwd(), 'checks.js'));
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [out, ...pages] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--force-color-profile=srgb'],
});
const A4 = { margin: 12, width: Math.floor((210 - 2 * 12) / 25.4 * 96) }; // millimetres, and pixels between the margins
let wrong = 0;
const tell = (where, what) => { wrong += 1; console.log(`${where}: ${what}`); };

for (const file of pages) {
  const name = basename(file, '.html');
  for (const scheme of ['light', 'dark']) {
    for (const [device, width, height] of [['desktop', 1280, 900], ['phone', 375, 740]]) {
      const where = `${name} ${scheme} ${device}`;
      const page = await browser.newPage();
      await page.setViewport({ width, height, deviceScaleFactor: device === 'phone' ? 2 : 1, isMobile: device === 'phone' });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      page.on('pageerror', (error) => tell(where, error.message));
      page.on('request', (request) => { if (!/^(file|data):/.test(request.url())) tell(where, `asks for ${request.url()}`); });
      await page.goto(pathToFileURL(resolve(file)).href);
      if (!(await page.$('.live'))) tell(where, 'the script did not run');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) tell(where, `scrolls sideways by ${wide} pixels`);
      await drawing(page, where);
      await page.screenshot({ path: join(out, `${name}-${scheme}-${device}.png`), fullPage: true });
      await page.evaluate(axe); // the page's own policy forbids other scripts; the debugger may
      const found = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
      for (const v of found.violations) for (const n of v.nodes) tell(where, `${v.id}: ${n.target} ${n.any[0]?.message ?? v.help}`);
      await keyboard(page, where, join(out, `${name}-${scheme}-${device}`));
      await page.close();
    }
  }
  await paper(file, name);
}
await browser.close();
console.log(wrong === 0 ? 'nothing found' : `${wrong} things found`);
process.exitCode = wrong === 0 ? 0 : 1;

/** Bars of equal tracks, and captions whose words are whole. */
async function drawing(page, where) {
  const tracks = await page.$$eval('.classes .bar', (bars) => bars.map((bar) => bar.getBoundingClientRect().width));
  const [least, most] = [Math.min(...tracks), Math.max(...tracks)];
  if (most - least > 0.5) tell(where, `bars of classes are of ${least} to ${most} pixels: a longer one does not mean more`);
  const broken = await page.$$eval('.strip figcaption', (captions) => captions.filter((caption) => {
    caption.style.overflowWrap = 'normal';
    const is = caption.scrollWidth > caption.clientWidth;
    caption.style.overflowWrap = '';
    return is;
  }).map((caption) => caption.textContent));
  if (broken.length > 0) tell(where, `${broken.length} captions break within a word: ${[...new Set(broken)].join(', ')}`);
}

/** What is printed on A4, where whatever is wider than the paper makes the browser shrink all of it. */
async function paper(file, name) {
  const page = await browser.newPage();
  await page.setViewport({ width: A4.width, height: 1000 });
  await page.emulateMediaType('print');
  await page.setJavaScriptEnabled(false);
  await page.goto(pathToFileURL(resolve(file)).href);
  const wide = await page.$$eval('body *', (all, width) => all
    .filter((element) => element.getBoundingClientRect().right > width + 0.5)
    .map((element) => `${element.closest('section')?.id ?? ''} ${element.localName}.${element.className.baseVal ?? element.className} to ${Math.round(element.getBoundingClientRect().right)}`), A4.width);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth);
  if (beyond > A4.width) tell(`${name} on paper`, `${beyond} pixels wide, of ${A4.width}: ${wide.slice(0, 5).join('; ')}`);
  await drawing(page, `${name} on paper`);
  const margin = `${A4.margin}mm`;
  await page.pdf({ path: join(out, `${name}.pdf`), format: 'A4', margin: { top: margin, bottom: margin, left: margin, right: margin }, printBackground: true });
  await page.close();
}

/** The readout by arrow keys, and the enlarged view by Enter, arrows and Escape. */
async function keyboard(page, where, picture) {
  const slider = await page.$('.pick:not([hidden]) input');
  if (slider) {
    const told = () => page.$eval('.plot .readout dd', (dd) => dd.textContent);
    const before = await told();
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    if ((await told()) === before) tell(where, 'arrow keys do not move the readout');
  }
  const link = await page.$('.enlarge');
  if (!link) return;
  await link.focus();
  await page.keyboard.press('Enter');
  if (!(await page.$('dialog[open]'))) return tell(where, 'Enter does not enlarge');
  await named(page, where, 0);
  await page.keyboard.press('ArrowRight');
  await named(page, where, 1);
  await page.screenshot({ path: `${picture}-dialog.png` });
  await page.keyboard.press('Escape');
  if (await page.$('dialog[open]')) tell(where, 'Escape does not close the enlarged view');
}

/** The enlarged view says, to eyes and to ears, that it shows the gallery's image at `place`. */
async function named(page, where, place) {
  const [image, text, label] = await page.$eval('dialog[open]', (dialog, place) => {
    const links = dialog.closest('[data-gallery]').querySelectorAll('.enlarge');
    return [links[place % links.length].textContent.slice(1), dialog.innerText, dialog.getAttribute('aria-label')];
  }, place);
  const says = (what) => new RegExp(`\\bimage ${image}\\b`, 'i').test(what);
  if (!says(text) || !says(label)) tell(where, `the enlarged view does not say that it shows image ${image}, but "${label}"`);
}
