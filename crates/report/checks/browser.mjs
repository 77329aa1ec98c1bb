// Opens pages in Chromium as people do, and says what is wrong: accessibility (axe), sideways scrolling, requests to anywhere,
// errors of scripts, the readout, the filters and the enlarged view by keyboard. Leaves screenshots and a PDF to look at.
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
      await page.screenshot({ path: join(out, `${name}-${scheme}-${device}.png`), fullPage: true });
      await page.evaluate(axe); // the page's own policy forbids other scripts; the debugger may
      const found = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
      for (const v of found.violations) for (const n of v.nodes) tell(where, `${v.id}: ${n.target} ${n.any[0]?.message ?? v.help}`);
      await keyboard(page, where, join(out, `${name}-${scheme}-${device}`));
      await page.close();
    }
  }
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(pathToFileURL(resolve(file)).href);
  await page.pdf({ path: join(out, `${name}.pdf`), format: 'A4', margin: { top: '12mm', bottom: '12mm', left: '12mm', right: '12mm' }, printBackground: true });
  await page.close();
}
await browser.close();
console.log(wrong === 0 ? 'nothing found' : `${wrong} things found`);
process.exitCode = wrong === 0 ? 0 : 1;

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
  if (!(await page.$('dialog[open]'))) tell(where, 'Enter does not enlarge');
  await page.keyboard.press('ArrowRight');
  await page.screenshot({ path: `${picture}-dialog.png` });
  await page.keyboard.press('Escape');
  if (await page.$('dialog[open]')) tell(where, 'Escape does not close the enlarged view');
}
