import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningSimulator, startSimulator } from '../../src/simulator/index.ts'

interface Derived {
  readonly channels: Readonly<Record<string, readonly unknown[]>>
  readonly parameters: Readonly<Record<string, { readonly channels: string }>>
  readonly plans: Readonly<
    Record<
      string,
      {
        readonly phy_versions: Readonly<
          Record<
            string,
            { readonly current: string; readonly desired: string; readonly lorawan_version: string }
          >
        >
      }
    >
  >
  readonly refused: readonly unknown[]
}

const derived = JSON.parse(
  readFileSync(new URL('../recordings/things-stack-derived-mac-states.json', import.meta.url), 'utf8'),
) as Derived
const versions = [
  ...new Set(Object.values(derived.plans).flatMap(({ phy_versions }) => Object.keys(phy_versions))),
].sort()
const key = 'B1'.repeat(16)

const parameters = (name: string): unknown => {
  const found = derived.parameters[name]
  return { ...found, channels: derived.channels[found?.channels ?? ''] }
}

let simulator: RunningSimulator
beforeAll(async () => {
  simulator = await startSimulator({ empty: true })
  await api('POST', '/users/admin/applications', { application: { ids: { application_id: 'rec' } } })
})
afterAll(() => simulator.close())

const api = async (
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> => {
  const [{ url, apiKey }] = simulator.networks
  const response = await fetch(`${url}/api/v3${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const eui = (place: number): string => (0x70b3d57ed0090c00n + BigInt(place)).toString(16).toUpperCase()

const importSession = (place: number, plan: string, phy: string, version: string) =>
  api('PUT', `/ns/applications/rec/devices/cell-${place}`, {
    end_device: {
      ids: { dev_eui: eui(place), join_eui: '70B3D57ED0009000' },
      supports_join: true,
      lorawan_version: version,
      lorawan_phy_version: phy,
      frequency_plan_id: plan,
      session: {
        dev_addr: '27000001',
        keys: {
          session_key_id: 'AAAAAAAAAAAAAAAAAAAAAQ==',
          f_nwk_s_int_key: { key },
          s_nwk_s_int_key: { key },
          nwk_s_enc_key: { key },
        },
      },
    },
    field_mask: {
      paths: [
        'supports_join',
        'lorawan_version',
        'lorawan_phy_version',
        'frequency_plan_id',
        'session.dev_addr',
        'session.keys.session_key_id',
        'session.keys.f_nwk_s_int_key.key',
        'session.keys.s_nwk_s_int_key.key',
        'session.keys.nwk_s_enc_key.key',
      ],
    },
  })

const checkCell = async (place: number, plan: string, phy: string): Promise<void> => {
  const measured = derived.plans[plan]?.phy_versions[phy]
  const written = await importSession(place, plan, phy, measured?.lorawan_version ?? 'MAC_V1_0_4')
  if (measured === undefined) {
    expect(written.status, phy).toBe(400)
    expect(written.body).toMatchObject({
      details: [
        { namespace: 'pkg/networkserver/internal', name: 'no_band_version', attributes: { ver: phy } },
      ],
    })
    return
  }
  expect(written.status, `${phy}: ${JSON.stringify(written.body)}`).toBe(200)
  const read = await api('GET', `/ns/applications/rec/devices/cell-${place}?field_mask=mac_state`)
  expect(read.body['mac_state'], phy).toEqual({
    lorawan_version: measured.lorawan_version,
    current_parameters: parameters(measured.current),
    desired_parameters: parameters(measured.desired),
  })
  expect((await api('DELETE', `/ns/applications/rec/devices/cell-${place}`)).status).toBe(200)
}

describe('the MAC state of a session that comes without one', () => {
  it('covers every plan and PHY version that was measured', () => {
    expect(Object.keys(derived.plans).length).toBe(71)
    expect(versions.length).toBe(12)
    expect(derived.refused).toEqual([])
  })

  it.each(Object.keys(derived.plans))(
    'on %s, for every PHY version, those that the band has not included',
    async (plan) => {
      await Promise.all(versions.map((phy, place) => checkCell(place, plan, phy)))
    },
  )
})
