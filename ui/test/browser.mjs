// Opens the page in Chromium, as a person would: node browser.mjs CHROMIUM LINK PROJECT [SHOTS]. test/ui starts it, and
// prepares the runs. It writes pictures of the pages to the directory SHOTS.
import { chromium } from 'playwright-core'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [executablePath, link, project, shots] = process.argv.slice(2)
const base = new URL(link).origin
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const timeout = 30_000
const problems = []
const fail = text => { problems.push(text); console.log('FAIL ' + text) }
const check = (is, text) => { if (!is) fail(text) }

// --no-sandbox: tests often run as root, where Chromium's own sandbox does not start.
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
context.setDefaultTimeout(timeout)
const page = await context.newPage()
const refused = []
page.on('pageerror', e => fail('an error in the page: ' + e.message))
page.on('dialog', d => { fail('a dialog: ' + d.message()); d.dismiss() })
page.on('console', m => { if (m.type() === 'error') refused.push(m.text()) })

const run = (pipeline, name, more = '') => `${base}/?stack=local&pipeline=${pipeline}&run=${name}${more}`
const see = (text, within = page) => within.getByText(text).first().waitFor()

// looks checks a page with axe-core in light and dark, and that a narrow window does not scroll sideways.
async function looks(name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    if (shots) await page.screenshot({ path: join(shots, `${name}-${colorScheme}.png`), fullPage: true })
    const violations = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'], iframes: false }).then(r => r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map(n => n.html).join(' ')))`)
    for (const v of violations) fail(`${name}, ${colorScheme}: ${v}`)
  }
  for (const width of [360, 3840]) {
    await page.setViewportSize({ width, height: 900 })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    check(wide <= 0, `${name} is ${wide} px too wide for ${width} px`)
    if (shots && width === 360) await page.screenshot({ path: join(shots, `${name}-360.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1280, height: 900 })
}

async function part(name, f) {
  const began = Date.now()
  try {
    await f()
  } catch (e) {
    fail(`${name}: ${e.message}`)
    if (shots) await page.screenshot({ path: join(shots, 'failed.png'), fullPage: true })
  }
  console.log(`${name}: ${Date.now() - began} ms`)
}

await part('the list', async () => {
  // As the command opens it: from a file, which is another site.
  const file = join(project, 'open.html')
  writeFileSync(file, `<meta http-equiv="refresh" content="0;url=${link}">`)
  await page.goto('file://' + file)
  await see('live-1')
  check(!page.url().includes('token'), `the token is in ${page.url()}`)
  await looks('runs')
  await page.getByLabel('Status').selectOption('failed,timed_out,lost,damaged')
  await page.waitForURL('**status=failed*')
  await page.getByRole('link', { name: 'live-1' }).waitFor({ state: 'detached' })
  await page.reload() // the filter is in the URL
  await page.getByRole('link', { name: 'flaky-1' }).waitFor()
  check(await page.locator('tbody tr').count() === 2, 'the filter shows other runs than the two that failed')
  await page.getByRole('button', { name: 'Clear' }).click()
  const condition = page.getByLabel('Param or output')
  await condition.fill('output.accuracy>0.2')
  const took = page.locator('tr', { hasText: 'live-1' }).locator('td.c-took')
  const before = await took.textContent()
  await page.waitForFunction(([e, text]) => e.textContent !== text, [await took.elementHandle(), before]) // the list is drawn again
  check(await condition.inputValue() === 'output.accuracy>0.2', 'a live run erases what is being typed')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'flaky-2' }).waitFor({ state: 'detached' })
  check(await page.locator('tbody tr').count() === 1, 'the condition shows other runs than flaky-3')
  await page.goto(`${base}/?pipeline=flaky&sort=output.accuracy`)
  await page.getByRole('link', { name: 'flaky-3' }).waitFor()
  const names = await page.locator('td.c-name a').allTextContents()
  check(names.slice(0, 2).join() === 'flaky-3,flaky-2', `sorted by accuracy, the runs are ${names}`)
})

await part('a live run', async () => {
  await page.goto(base + '/')
  await page.getByRole('link', { name: 'live-1' }).click()
  await page.locator('.node').nth(4).waitFor()
  check(await page.locator('.node').count() === 5, 'the whole graph is not there before the first step')
  check(await page.locator('.node.pending').count() === 4, 'steps are not pending')
  await looks('run-waiting')
  await page.locator('.asks-note a').click()
  await page.getByRole('button', { name: 'Approve…' }).click()
  const dialog = page.getByRole('dialog')
  check((await dialog.locator('code').textContent()) === 'pipec approve live-1 gate', 'the command is not shown')
  await looks('approve')
  await dialog.getByLabel('Reason').fill('it is time')
  check((await dialog.locator('code').textContent()).endsWith("--reason 'it is time'"), 'the command lacks the reason')
  await dialog.getByRole('button', { name: 'Approve', exact: true }).click()
  await see(/it is time/)
  await page.getByRole('navigation').getByRole('link', { name: 'live-1' }).click()
  await page.locator('.node.running').waitFor()
  await page.locator('.node.running a').first().click()
  await see('green', page.locator('.log'))
  check(await page.locator('.log .text span').first().evaluate(e => e.style.color) === 'var(--ansi-2)', 'the log has no colors')
  await looks('log-running')
  writeFileSync(join(project, 'go'), '') // the step waits for it
  await see('last line', page.locator('.log')) // it is followed
  await page.getByRole('navigation').getByRole('link', { name: 'live-1' }).click()
  await page.locator('.title .badge.succeeded').waitFor()
  await page.locator('.node.succeeded').nth(4).waitFor()
  await looks('run')
  await page.getByRole('button', { name: 'Timeline' }).click()
  await page.locator('.lane').first().waitFor()
  check(await page.locator('tr.critical').count() >= 2, 'there is no critical path')
  await looks('timeline')
  await page.getByRole('button', { name: 'Table' }).click()
  const odd = page.getByRole('link', { name: 'fan["<img src=x onerror=alert(1)>"]' })
  await odd.waitFor()
  await looks('table')
  await odd.click()
  await page.getByRole('heading', { level: 1, name: 'fan["<img' }).waitFor()
  check(await page.locator('main img[src=x]').count() === 0, 'a name has become markup')
  await page.goBack()
  await page.getByRole('link', { name: 'fan["javascript:alert(1)"]' }).click()
  await page.getByRole('heading', { level: 1, name: 'javascript:' }).waitFor()
})

await part('artifacts', async () => {
  await page.goto(run('live', 'live-1', '&step=report'))
  await see('a.txt')
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await see('inside')
  await see('x,y')
  const pages = page.getByText('Show the page')
  await pages.last().click()
  const frame = page.frameLocator('iframe')
  await frame.getByText('Report').waitFor()
  await page.getByLabel('Run its scripts').check()
  await frame.getByText('scripts run').waitFor()
  await page.waitForTimeout(300) // for what must not happen there is nothing to wait for
  check(await page.title() !== 'reached' && page.url().startsWith(base), 'the frame has reached the page')
  await page.getByLabel('Run its scripts').uncheck()
  await looks('artifacts')
  await pages.last().click()
  await pages.first().click()
  await frame.getByText('Leaving').waitFor() // without scripts it can't leave
  await page.getByLabel('Run its scripts').check() // with them it leaves at once, which the page refuses
  const left = () => page.frames().some(f => f.url().startsWith('chrome-error:'))
  const until = Date.now() + timeout
  while (!left() && Date.now() < until) await page.waitForTimeout(20)
  check(left(), `the frame was not refused: ${page.frames().map(f => f.url())}`)
})

await part('a failed run', async () => {
  await page.goto(run('flaky', 'flaky-1'))
  await page.locator('.node.failed a').first().click()
  await see('exit code 3')
  await looks('step')
  await page.getByRole('navigation').getByRole('link', { name: 'flaky-1' }).click()
  await page.getByRole('button', { name: 'Rerun…' }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('judge').first().waitFor()
  check((await dialog.locator('.command code').textContent()) === 'pipec rerun flaky-1', 'the command is not shown')
  await looks('rerun')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Rerun…' }).click()
  await dialog.getByText('judge').first().waitFor()
  await dialog.getByRole('button', { name: 'Start the rerun' }).click()
  await page.locator('.title .badge.succeeded').waitFor()
  await see('Rerun of')
})

await part('10,000 steps', async () => {
  await page.goto(run('large', 'large-1'))
  const rows = page.locator('.step-rows .step-row')
  await rows.first().waitFor()
  check((await rows.first().textContent()).includes('s-4242'), 'the failed step is not the first')
  check(await rows.count() < 100, 'rows that are not in view are in the document')
  const box = page.locator('.step-rows')
  await box.evaluate(e => { e.scrollTop = e.scrollHeight })
  await see('s-9999')
  const frames = await box.evaluate(async e => {
    let n = 0, began = performance.now()
    while (performance.now() - began < 500) { e.scrollTop = (e.scrollTop + 357) % e.scrollHeight; n++; await new Promise(requestAnimationFrame) }
    return n * 2
  })
  await page.getByLabel('Search').fill('s-777')
  await see(/^10 of 10,000 steps/)
  await looks('large-table')
  await page.getByRole('button', { name: 'Graph' }).click()
  await page.locator('.node').first().waitFor()
  check(await page.locator('.node').count() <= 600, 'nodes that are not in view are in the document')
  await page.getByRole('button', { name: 'Fit' }).click()
  await page.locator('.graph canvas').waitFor()
  await looks('large-graph')
  await page.getByRole('button', { name: 'Timeline' }).click()
  await page.locator('.lane').first().waitFor()
  const client = await context.newCDPSession(page)
  await client.send('HeapProfiler.collectGarbage')
  const { usedSize } = await client.send('Runtime.getHeapUsage')
  console.log(`${frames} frames a second, ${(usedSize / 1e6).toFixed(0)} MB`)
  check(usedSize < 300e6, `the page uses ${usedSize} bytes`)
})

// What the page itself loads is allowed by its policy. Frames report what they were refused.
for (const text of refused) check(!text.includes("default-src 'self'") || text.includes('frame-src'), text)
await browser.close()
process.exit(problems.length ? 1 : 0)
