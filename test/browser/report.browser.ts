import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pageOf } from './fleet.ts'

/** Where Debian, and those who follow it, put their Chromium. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** Milliseconds from the request to a list that answers. */
const USABLE = 2_000

const browserPath = (): string => {
  const given = process.env['CHROME_PATH']
  const found = given ?? PLACES.find((path) => existsSync(path))
  if (found === undefined || !existsSync(found))
    throw new Error(
      `no browser ${given === undefined ? `in ${PLACES.join(', ')}` : `at ${given}`}: install Debian's package chromium, or name one in CHROME_PATH`,
    )
  return found
}

const folder = mkdtempSync(join(tmpdir(), 'ferry-browser-'))
let browser: Browser

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: browserPath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
})

afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Opened {
  readonly page: Page
  readonly asked: readonly string[]
  readonly said: readonly string[]
  readonly usableAfter: number
}

/** Opens the page of a fleet and finds one device in it. */
const open = async (devices: number, colorScheme: 'light' | 'dark', width: number): Promise<Opened> => {
  const file = join(folder, `${devices}.html`)
  if (!existsSync(file)) writeFileSync(file, await pageOf(devices))
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } })
  const page = await context.newPage()
  const asked: string[] = []
  const said: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(error.message))
  const began = performance.now()
  await page.goto(pathToFileURL(file).href)
  await page.getByLabel('Find').fill('meter-000007')
  await page
    .locator('#told')
    .getByText(`1 of ${devices.toLocaleString('en')} devices`)
    .waitFor()
  return { page, asked, said, usableAfter: performance.now() - began }
}

const violations = (page: Page): Promise<readonly { id: string; impact: string; help: string }[]> =>
  page.evaluate(
    `${axe.source}; axe.run().then(({ violations }) => violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.slice(0, 3).map(({ html }) => html) })))`,
  )

const CASES = [12, 10_000].flatMap((devices) =>
  (['light', 'dark'] as const).flatMap((scheme) => [360, 1440].map((width) => ({ devices, scheme, width }))),
)

describe('the page of a migration', () => {
  test.each(CASES)('of $devices devices, $scheme, at $width pixels', async ({ devices, scheme, width }) => {
    const { page, asked, said, usableAfter } = await open(devices, scheme, width)
    try {
      expect(usableAfter).toBeLessThan(USABLE)
      expect(asked).toEqual([page.url()])
      expect(said).toEqual([])
      await page.getByLabel('Find').fill('')
      const sizes = await page.evaluate(
        '({ wide: document.documentElement.scrollWidth, shown: document.documentElement.clientWidth })',
      )
      expect(sizes).toEqual({ wide: width, shown: width })
      expect(
        (await violations(page)).filter(({ impact }) => impact === 'serious' || impact === 'critical'),
      ).toEqual([])
      const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      expect(paper).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 24, 28)')
    } finally {
      await page.context().close()
    }
  })

  test('tells what stands in the state: states, waves, runs, and each device with what is next', async () => {
    const { page, said } = await open(10_000, 'light', 1440)
    try {
      await expect(page.locator('.verdict').textContent()).resolves.toBe(
        '9,600 of 10,000 devices arrived (96 %), 100 failed, 200 silent.',
      )
      const silent = page.getByRole('region', { name: '200 devices silent' })
      expect(await silent.locator('tbody tr').count()).toBe(25)
      const waves = page.getByRole('region', { name: 'Over time' }).locator('tbody tr')
      await expect(waves.allTextContents()).resolves.toEqual([
        // Those that were taken back are in no wave any more.
        expect.stringMatching(/^canary2026-03-02 22:01:00990980960 \(97 %\)$/),
        expect.stringMatching(/^wave 1.*3,9603,9203,840 \(97 %\)$/),
        expect.stringMatching(/^rest.*4,9504,9004,800 \(97 %\)$/),
      ])
      const runs = page.getByRole('region', { name: 'What was done when' }).locator('tbody tr')
      await expect(runs.allTextContents()).resolves.toEqual([
        expect.stringContaining('ferry apply'),
        expect.stringContaining('not ended'),
      ])
      await page.getByLabel('Find').fill('')
      await page.locator('#state').selectOption('failed')
      await page.locator('#told').getByText('100 of 10,000 devices, page 1 of 1').waitFor()
      expect(await page.locator('#devices tr').first().textContent()).toContain('</script><img')
      expect(await page.title()).toBe('building-a: where the migration stands')
      await page.locator('#state').selectOption('')
      await page.getByRole('button', { name: 'On' }).click()
      await page.locator('#told').getByText('page 2 of 100').waitFor()
      expect(said).toEqual([])
    } finally {
      await page.context().close()
    }
  })

  test('of a plan that was never applied says so', async () => {
    const { page, said } = await open(12, 'light', 360)
    try {
      const file = join(folder, 'none.html')
      writeFileSync(file, await pageOf(0))
      await page.goto(pathToFileURL(file).href)
      await expect(page.locator('.verdict').textContent()).resolves.toBe('Nothing was applied yet.')
      expect(said).toEqual([])
    } finally {
      await page.context().close()
    }
  })
})
