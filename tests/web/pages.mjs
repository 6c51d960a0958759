// The pages in a real browser: they draw, zoom, filter, follow links, obey the keyboard, and keep to
// their budgets. Needs the npm package playwright and a Chromium; says so and exits 77 without.
//
//   node tests/web/pages.mjs ORDEAL RUNS [folder for screenshots]
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

let chromium;
try {
  const require = createRequire(join(process.env.PLAYWRIGHT ?? process.cwd(), 'x.js'));
  ({chromium} = require('playwright'));
} catch {
  console.log('skipped: the npm package playwright is not here (PLAYWRIGHT=folder that has node_modules)');
  process.exit(77);
}
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const [ordeal, runs, shots] = process.argv.slice(2);
let browser;
try {
  browser = await chromium.launch({executablePath, args: ['--no-sandbox']});
} catch (failure) {
  console.log(`skipped: no browser: ${failure.message.split('\n')[0]}`);
  process.exit(77);
}

let failed = 0;
function check(what, holds, more = '') {
  if (!holds) failed++;
  console.log(`${holds ? 'ok  ' : 'FAIL'}  ${what}${more ? '  ' + more : ''}`);
}
const names = readdirSync(runs).filter((name) => statSync(join(runs, name)).isDirectory()).sort();
const failing = names.filter((name) => name.includes('-FAIL-')).at(-1);
const passing = names.find((name) => name.includes('-PASS-'));
const going = names.find((name) => !/-(PASS|FAIL|INCONCLUSIVE|BROKEN)-/.test(name));
const server = spawn(ordeal, ['serve', runs, '--port', '0'], {stdio: ['ignore', 'pipe', 'ignore']});
// However this ends, the server ends with it.
process.on('exit', () => server.kill('SIGTERM'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
const base = await new Promise((done, never) => {
  server.stdout.once('data', (data) => done(String(data).trim()));
  server.once('exit', (code) => never(new Error(`ordeal serve ended with ${code}`)));
});

async function open(address, options = {}) {
  const context = await browser.newContext({viewport: {width: 1400, height: 900}, ...options});
  context.setDefaultTimeout(60000);  // a starved machine is no failure
  context.setDefaultNavigationTimeout(60000);
  const page = await context.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') troubles.push(message.text()); });
  page.on('request', (request) => { if (!request.url().startsWith(base) && !/^(file|data|blob):/.test(request.url())) troubles.push('asked for ' + request.url()); });
  await page.goto(address);
  page.troubles = troubles;
  return page;
}
const ready = (page) => page.waitForFunction(() => window.ordeal && document.querySelector('#latency canvas'));
const view = (page) => page.evaluate(() => window.ordeal.timeline.view);
const painted = (page) => page.evaluate(() => {
  const canvas = document.getElementById('canvas');
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
});

// The line that the address names is there, marked and in view.
async function atItsLine(page) {
  const line = /#L(\d+)/.exec(page.url())?.[1];
  await page.waitForSelector(`#L${line}`);
  await page.waitForTimeout(300);
  return page.evaluate((id) => {
    const node = document.getElementById(id), at = node.getBoundingClientRect();
    return node.matches(':target') && at.top >= 0 && at.bottom <= innerHeight;
  }, `L${line}`);
}

// From the disk, without a server.
const file = join(runs, failing, 'report.html');
async function fromTheDisk() {
  const page = await open(pathToFileURL(file).href);
  await ready(page);
  check('report.html opens from the disk', page.troubles.length === 0, page.troubles.join('; '));
  check('at most 3 MB for 100,000 operations', statSync(file).size <= 3e6, `${(statSync(file).size / 1e6).toFixed(2)} MB`);
  check('finding.html at most 500 KB', statSync(join(runs, failing, 'findings/1/finding.html')).size <= 5e5);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  console.log(`      first paint after ${Math.round(paint)} ms (budget 300 ms)`);
  const n = await page.evaluate(() => window.ordeal.timeline.ops.n);
  check('every operation is carried', n === 100000, String(n));
  check('far out it draws density', await page.evaluate(() => window.ordeal.timeline.mode) === 'density');
  check('something is painted', await painted(page) > 20);
  const frame = await page.evaluate(() => { const t = window.ordeal.timeline, began = performance.now(); t.paint(); return performance.now() - began; });
  console.log(`      a frame of everything takes ${frame.toFixed(1)} ms`);

  await page.focus('#canvas');
  for (let i = 0; i < 12; i++) await page.keyboard.press('+');
  const [a, b] = await view(page);
  check('plus zooms', b - a < 1, `${(b - a).toFixed(3)} s`);
  await page.waitForTimeout(300);
  check('close by it draws boxes', await page.evaluate(() => window.ordeal.timeline.mode) === 'boxes');
  await page.keyboard.press('ArrowRight');
  check('arrows move', (await view(page))[0] > a);
  await page.keyboard.press('0');
  await page.keyboard.press('n');
  await page.waitForTimeout(350);
  const [c, d] = await view(page);
  const at = await page.evaluate(() => window.ordeal.data.findings[0].at);
  check('n shows the finding', c < at && at < d && d - c < 10, `${c.toFixed(2)}-${d.toFixed(2)}`);
  check('the address keeps it', /t=.*op=/.test(await page.evaluate(() => location.hash)), await page.evaluate(() => location.hash));
  check('the operation is told in full', (await page.textContent('#detail')).includes('belongs to'));

  await page.keyboard.press('/');
  await page.keyboard.type('outcome=unknown node=n1');
  await page.waitForTimeout(400);
  const shown = await page.evaluate(() => window.ordeal.timeline.shown);
  check('the filter filters', shown > 0 && shown < 1000, String(shown));
  check('it stays when the keyboard leaves it', await page.evaluate(() => { document.getElementById('filter').dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true})); return document.getElementById('filter').value; }) === 'outcome=unknown node=n1');
  await page.selectOption('#lanes', 'key');
  await page.selectOption('#lanes', 'node');
  await page.fill('#filter', '');
  await page.waitForTimeout(300);

  // A link from the finding into the timeline.
  await page.evaluate(() => scrollTo(0, 0));
  await page.click('table.witness a.op >> nth=0');
  await page.waitForTimeout(500);
  check('a link of the finding selects its operation', await page.evaluate(() => window.ordeal.timeline.ops.id[window.ordeal.timeline.selected] === window.ordeal.data.findings[0].ops[0]));
  const hash = await page.evaluate(() => location.hash);
  const again = await open(pathToFileURL(file).href + hash);
  await ready(again);
  check('the same address shows the same', JSON.stringify(await view(again)) === JSON.stringify((await view(page)).map((t) => +t.toFixed(4))) ||
        Math.abs((await view(again))[0] - (await view(page))[0]) < 1e-3);
  check('no trouble in the console', page.troubles.length === 0, page.troubles.join('; '));
  await page.context().close();
  await again.context().close();
}

// Through the server: the list, the report, the log behind a line, two runs compared.
async function throughTheServer() {
  const page = await open(base);
  await page.waitForSelector('tbody tr');
  check('the list groups failures by signature', (await page.textContent('main')).includes('lost-write / after partition: 2 runs'));
  await page.keyboard.press('/');
  await page.keyboard.type('INCONCLUSIVE');
  await page.waitForTimeout(200);
  check('the list searches, the address keeps it', page.url().includes('q=INCONCLUSIVE') && await page.locator('tbody tr').count() === 1);
  await page.keyboard.press('Escape');
  check('escape leaves the search as it is', page.url().includes('q=INCONCLUSIVE') && await page.inputValue('main input[type=search]') === 'INCONCLUSIVE');
  await page.fill('main input[type=search]', '');
  await page.waitForSelector('main details[open]');
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await Promise.all([page.waitForURL(/compare/), page.keyboard.press('c')]);
  check('two marked runs are compared', (await page.textContent('main')).includes('Latency of what was answered ok'));
  check('their rates and faults stand on one time axis', await page.locator('svg .rate').count() === 2 && await page.locator('svg .fault').count() >= 8);
  check('the comparison is there as JSON', await page.evaluate(async () => (await (await fetch(document.querySelector('nav a[href*="compare.json"]').href)).json()).a.ok_per_second.length > 10));
  await page.goto(base + 'trend');
  await page.waitForSelector('.cells');
  check('nights are shown', await page.locator('.cells a').count() >= 3);
  check('a canary that failed is as it must be', await page.locator('.cells .barked').count() === 2);
  check('a canary that passed stands out', (await page.locator('.cells .silent').getAttribute('title')).includes('it had to FAIL'));
  check('nights that were not run are empty, and say so', (await page.locator('.cells .none').first().getAttribute('title')).includes('not run'));
  check('how much was tested is told night by night', (await page.locator('.amount .bar').first().getAttribute('title')).includes('operations'));
  await page.goto(`${base}run/${failing}/`);
  await ready(page);
  await Promise.all([page.waitForURL(/etcd\.log/), page.locator('table.log a').first().click()]);
  check('a log line leads into the log', await atItsLine(page), page.url());

  // From the finding to its operation in the timeline, from there to what the server said.
  await page.goBack();
  await ready(page);
  await page.click('table.witness a.op >> nth=1');
  await page.waitForSelector('#detail a[href*="etcd.log"]');
  check('the operation names its log lines', (await page.textContent('#detail')).includes('said'));
  await Promise.all([page.waitForURL(/etcd\.log/), page.locator('#detail a[href*="etcd.log"]').first().click()]);
  check('finding, timeline, log line', await atItsLine(page), page.url());
  check('no trouble in the console', page.troubles.length === 0, page.troubles.join('; '));
  await page.context().close();
}

// A run that goes on: its numbers, and its report when it has ended.
async function aRunThatGoesOn() {
  const page = await open(`${base}run/${going}/`);
  await page.waitForSelector('.facts');
  check('a run that goes on is shown live', (await page.textContent('main')).includes('leader'));
  check('one that is silent is said to be', await page.evaluate(async (name) => {
    const live = await (await fetch(`/api/live/${encodeURIComponent(name)}.json`)).json();
    return live.idle_s >= 0 && live.events === 6000 && live.nodes.length === 3;
  }, going));
  check('no trouble in the console', page.troubles.length === 0, page.troubles.join('; '));
  await page.context().close();
}

async function screenshots() {
  mkdirSync(shots, {recursive: true});
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1400, 420]) {
      const shoot = async (address, name, prepare) => {
        const page = await open(address, {colorScheme, viewport: {width, height: 900}});
        await page.waitForTimeout(1200);
        await prepare?.(page);
        await page.screenshot({path: join(shots, `${name}-${colorScheme}-${width}.png`), fullPage: true});
        if (width === 420) check(`${name} fits 420 pixels`, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
        await page.context().close();
      };
      await shoot(pathToFileURL(file).href, 'report');
      await shoot(pathToFileURL(join(runs, failing, 'findings/1/finding.html')).href, 'finding');
      await shoot(base, 'runs');
      await shoot(base + 'trend', 'trend');
      await shoot(`${base}compare?a=${encodeURIComponent(failing)}&b=${encodeURIComponent(passing)}`, 'compare');
      await shoot(`${base}run/${encodeURIComponent(going)}/`, 'live');
      await shoot(pathToFileURL(file).href, 'zoomed', async (page) => { await page.keyboard.press('n'); await page.waitForTimeout(600); });
    }
  }
}
try {
  await fromTheDisk();
  await throughTheServer();
  await aRunThatGoesOn();
  if (shots) await screenshots();
} catch (failure) {
  failed++;
  console.log(`FAIL  ${failure.stack}`);
}
await browser.close();
console.log(failed ? `${failed} failed` : 'all hold');
process.exit(failed ? 1 : 0);
