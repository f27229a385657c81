import { describe, expect, it } from 'vitest'
import { marked, parse, planText, type Sections, SOURCE, TARGET, told } from './support.ts'

/** What is wrong, where it is marked with ‸, and the codes at the marks in their order. */
type Case = readonly [name: string, text: Sections | string, ...codes: string[]]

const key = 'apiKey: { env: SOURCE_API_KEY }'
const devices = (lines: string): Sections => ({ devices: `devices:\n${lines}` })
const include = (entry: string): Sections => ({ devices: `devices: { include: [${entry}] }` })
const override = (entry: string): Sections =>
  devices(`  include: [{ all: true }]\n  overrides:\n    - ${entry}`)
const source = (from: string, to: string): Sections => ({ source: SOURCE.replace(from, to) })
const target = (from: string, to: string): Sections => ({ target: TARGET.replace(from, to) })
const policy = (fields: string, rest = 'coverage: { gateways: on-target }'): Sections => ({
  policy: `policy: { ${fields} }`,
  rest,
})
/** A file has nothing that could be deleted. */
const KEPT = policy('persistSession: true')
/** A plan that keeps sessions, or has devices join anew, with more fields of its policy. */
const kept = (fields: string) => policy(`persistSession: true, deleteSource: after-heard, ${fields}`)
const anew = (fields: string, rest?: string) => policy(`persistSession: ‸false, ${fields}`, rest)
const trigger = (fields: string) => `rejoin: { trigger: source-downlink, ${fields} }`
/** Two applications of one network. */
const withinOne = (sections: Sections): Sections => ({
  ...sections,
  target: SOURCE.replace('source', 'target').replace('building-a', 'building-b'),
})
const v2 = (
  address: string,
  defaults = 'defaults: { frequencyPlan: EU_863_870_TTN }',
  key = '{ env: V2_KEY }',
): Sections => ({
  source: `source:\n  network: ttn-v2\n  application: building_a\n  ${address}\n  accessKey: ${key}\n  ${defaults}`,
})
const local = (port: number, more = '') =>
  `network: things-stack\n  url: http://127.0.0.1:${port}\n  application: building-a\n  ${more}`

/** State or escrow at an address, with its fields; `rest` of a plan has its coverage too. */
const stateAt = (fields: string): Sections => ({
  rest: `coverage: { gateways: on-target }\nstate: { http: { ${fields} } }`,
})
const escrowAt = (fields: string): Sections => ({
  rest: `coverage: { gateways: on-target }\nescrow: { http: { ${fields} } }`,
})
const LOCK = 'lockAddress: https://states.example.com/a/lock'
const ADDRESS = 'address: "https://states.example.com/a?b=c"'

const rollout = (fields: string): Sections => ({
  rest: `coverage: { gateways: on-target }\nrollout: { ${fields} }`,
})

const ROLLOUT: readonly Case[] = [
  [
    'waves of each kind',
    rollout('canary: 2, waves: [5, 10%, { match: "a-*" }, { attributes: { floor: "1" } }], minHeard: 90%'),
  ],
  ['a wave of nobody', rollout('waves: [‸0]'), 'WrongValue'],
  [
    'a wave that is chosen in two ways',
    rollout('waves: [‸{ match: "a-*", attributes: { floor: "1" } }]'),
    'WrongValue',
  ],
  ['a wave of ids', rollout('waves: [{ ‸ids: [a-1] }]'), 'UnknownField'],
  ['a share of a count', rollout('canary: 2, minHeard: ‸5'), 'WrongValue'],
  ['a share without a wave', rollout('minHeard: ‸90%'), 'WithoutEffect'],
  ['a window', rollout('window: "Mon-Fri 22:00-05:00 Europe/Amsterdam"')],
  ['a window without times', rollout('window: ‸"Mon-Fri"'), 'WrongValue'],
  ['a window on a day that is none', rollout('window: ‸"Mun 22:00-05:00"'), 'WrongValue'],
  ['a window in a zone that is none', rollout('window: ‸"22:00-05:00 Mars/Olympus"'), 'WrongValue'],
]

const PLACES: readonly Case[] = [
  ['no lock', { rest: stateAt(ADDRESS).rest?.replace('http:', '‸http:') ?? '' }, 'MissingField'],
  ['a state that is no address', stateAt(`address: ‸states, ${LOCK}`), 'InvalidUrl'],
  ['a lock that is no address', stateAt(`${ADDRESS}, lockAddress: ‸a/lock`), 'InvalidUrl'],
  ['an address with a fragment', escrowAt('address: ‸"https://files.example.com/a#b"'), 'InvalidUrl'],
  ['credentials in an address', escrowAt('address: ‸https://user:word@files.example.com/a'), 'LiteralSecret'],
  [
    'a token in a query',
    escrowAt('address: ‸"https://files.example.com/a?private_token=made-up"'),
    'LiteralSecret',
  ],
  ['a state over plain http', stateAt(`address: ‸http://states.example.com/a, ${LOCK}`), 'PlainHttp'],
  ['an escrow over plain http', escrowAt('address: ‸http://127.0.0.1:1/a'), 'PlainHttp'],
  ['insecure elsewhere', stateAt(`${ADDRESS}, ${LOCK}, insecure: ‸true`), 'InsecureNotLoopback'],
  [
    'a certificate that is not checked',
    escrowAt('address: http://127.0.0.1:1/a, insecure: true, caFile: ‸ca.pem'),
    'WithoutEffect',
  ],
  [
    'a user without password',
    {
      rest:
        escrowAt('address: https://files.example.com/a, username: me').rest?.replace('http:', '‸http:') ?? '',
    },
    'MissingField',
  ],
  [
    'a password without user',
    {
      rest: stateAt(`${ADDRESS}, ${LOCK}, password: { env: A }`).rest?.replace('http:', '‸http:') ?? '',
    },
    'MissingField',
  ],
  [
    'a password that is written out',
    escrowAt('address: https://files.example.com/a, username: me, password: ‸made-up'),
    'LiteralSecret',
  ],
  ['a method that is none', stateAt(`${ADDRESS}, ${LOCK}, lockMethod: ‸GET`), 'WrongValue'],
  [
    'a state file in the home folder',
    { rest: `coverage: { gateways: on-target }\nstate: { file: ‸~/a.jsonl, http: { ${ADDRESS}, ${LOCK} } }` },
    'InvalidPath',
  ],
  [
    'a state without an address',
    { rest: 'coverage: { gateways: on-target }\n‸state: { file: a.jsonl }' },
    'MissingField',
  ],
]

const YAML: readonly Case[] = [
  ['a quote is missing', 'metadata: { name: "a }\n‸', 'YamlSyntax'],
  ['a tab indents', 'metadata:\n‸\tname: a', 'YamlSyntax'],
  [
    'a field is given twice',
    { metadata: 'metadata:\n  name: building-a\n  ‸name: building-b' },
    'DuplicateKey',
  ],
  ['two documents', `${planText()}‸---\na: 1\n`, 'MultipleDocuments'],
  ['a merge key', { rest: 'rollout:\n  ‸<<: { canary: 1 }\ncoverage: { gateways: on-target }' }, 'MergeKey'],
  ['a tag', { metadata: 'metadata: { name: ‸!secret building-a }' }, 'CustomTag'],
  ['a directive', '‸%YAML 1.1\n---\na: 1\n', 'YamlDirective'],
  ['an alias without an anchor', { metadata: 'metadata: { name: ‸*name }' }, 'UnknownAlias'],
  ['a list as key', { rest: 'coverage: { gateways: on-target }\n? ‸[a]\n: 1' }, 'ComplexKey'],
  ['an escape that cannot be seen', { metadata: 'metadata: { name: ‸"a\\u0007b" }' }, 'ControlCharacter'],
  ['nothing', '‸', 'EmptyPlan'],
  ['comments only', '‸# nothing\n', 'EmptyPlan'],
  ['deep nesting', `${'['.repeat(64)}‸[${']'.repeat(65)}`, 'TooDeep'],
  ['a list', '‸[1]', 'WrongType'],
  ['a text', '‸hello', 'WrongType'],
]

const SCHEMA: readonly Case[] = [
  ['a misspelt field', source('application', '‸aplication'), 'UnknownField'],
  [
    'a field in the wrong place',
    { rest: 'coverage: { gateways: on-target }\n‸persistSession: true' },
    'UnknownField',
  ],
  [
    'a field of the plan in an override',
    override('match: "a*"\n      policy: { ‸gateways: on-target }'),
    'UnknownField',
  ],
  ['a field that is nothing', { rest: 'coverage: { gateways: on-target }\n‸frobnicate: 1' }, 'UnknownField'],
  ['a missing field', { policy: '‸policy: { deleteSource: after-heard }' }, 'MissingField'],
  ['a whole section is missing', { source: '' }, 'MissingField'],
  ['yes for true', policy('persistSession: ‸yes'), 'WrongType'],
  [
    'a number for a list',
    { rest: 'coverage: { gateways: on-target }\nescrow: { recipients: ‸1 }' },
    'WrongType',
  ],
  ['nothing for a mapping', { rest: '‸coverage:\n' }, 'WrongType'],
  [
    'a share for a count',
    { rest: 'coverage: { gateways: on-target }\nrollout: { canary: ‸1.5 }' },
    'WrongType',
  ],
  ['a value that is none', policy('persistSession: true, deleteSource: ‸sometimes'), 'WrongValue'],
  ['a delay of 16 s', policy('persistSession: true, deleteSource: after-heard, rx1Delay: ‸16'), 'WrongValue'],
  ['a quoted delay', policy('persistSession: true, deleteSource: after-heard, rx1Delay: ‸"5"'), 'WrongValue'],
  [
    'a duration without unit',
    { rest: 'coverage: { gateways: on-target }\nverify: { heardWithin: ‸24 }' },
    'WrongValue',
  ],
  [
    'a duration of nothing',
    { rest: 'coverage: { gateways: on-target }\nverify: { heardWithin: ‸0s }' },
    'WrongValue',
  ],
  [
    'a duration of years',
    { rest: 'coverage: { gateways: on-target }\nverify: { heardWithin: ‸367d }' },
    'WrongValue',
  ],
  [
    'no concurrency',
    { rest: 'coverage: { gateways: on-target }\nrollout: { maxConcurrency: ‸0 }' },
    'WrongValue',
  ],
  [
    'a share above all',
    { rest: 'coverage: { gateways: on-target }\nrollout: { maxFailures: ‸101% }' },
    'WrongValue',
  ],
  ['no selector', { devices: 'devices: { ‸include: [] }' }, 'WrongValue'],
  ['all: false', include('{ all: ‸false }'), 'WrongValue'],
  ['a long name', override(`match: "a*"\n      set: { name: ‸${'ü'.repeat(51)} }`), 'WrongValue'],
  [
    'a long description',
    override(`match: "a*"\n      set: { description: ‸${'a'.repeat(2001)} }`),
    'WrongValue',
  ],
  [
    'a long attribute',
    override(`match: "a*"\n      set: { attributes: { floor: ‸${'a b '.repeat(51)} } }`),
    'WrongValue',
  ],
  [
    '11 attributes',
    override(
      `match: "a*"\n      set: { ‸attributes: { ${Array.from({ length: 11 }, (_, i) => `key-${i}: a`).join(', ')} } }`,
    ),
    'WrongValue',
  ],
  [
    'an attribute of another form',
    override('match: "a*"\n      set: { attributes: { ‸Floor: a } }'),
    'InvalidId',
  ],
  [
    'an unknown LoRaWAN version',
    override('match: "a*"\n      set: { lorawanVersion: ‸1.0.5 }'),
    'WrongValue',
  ],
  ['an unknown apiVersion', { head: 'apiVersion: ‸ferry/v2\nkind: MigrationPlan' }, 'UnsupportedVersion'],
  ['another kind', { head: 'apiVersion: ferry/v1\nkind: ‸Deployment' }, 'WrongValue'],
  ['a name in capitals', { metadata: 'metadata: { name: ‸Building-A }' }, 'InvalidId'],
  ['an application id of 37', source('building-a', `‸${'a'.repeat(37)}`), 'InvalidId'],
  ['a device id with _', include('{ ids: [‸meter_7] }'), 'InvalidId'],
  ['a pattern in capitals', include('{ match: ‸"Meter-*" }'), 'WrongValue'],
  ['an empty entry', include('‸{}'), 'EmptySelector'],
  ['an unknown trigger', kept('rejoin: { trigger: ‸downlink }'), 'WrongValue'],
  ['a trigger without its name', kept('‸rejoin: { fPort: 10 }'), 'MissingField'],
  ['a trigger that is no mapping', kept('rejoin: ‸manual'), 'WrongType'],
  ['a port of commands', anew(trigger('fPort: ‸0')), 'JoinNeeded', 'WrongValue'],
  ['a port of tests', anew(trigger('fPort: ‸224')), 'JoinNeeded', 'WrongValue'],
  ['half a byte', anew(trigger('fPort: 10, payload: ‸"01F"')), 'JoinNeeded', 'WrongValue'],
  [
    'a byte too many',
    anew(trigger(`fPort: 10, payload: ‸"${'01'.repeat(243)}"`)),
    'JoinNeeded',
    'WrongValue',
  ],
  ['a payload in Base64', anew(trigger('fPort: 10, payload: ‸AQ==')), 'JoinNeeded', 'WrongValue'],
  ['a margin below nothing', kept('downlinkCounterMargin: ‸-1'), 'WrongValue'],
  ['a margin as large as a gap', kept('downlinkCounterMargin: ‸16385'), 'WrongValue'],
  ['a margin in words', kept('downlinkCounterMargin: ‸some'), 'WrongValue'],
  ['a quoted margin', kept('downlinkCounterMargin: ‸"64"'), 'WrongValue'],
  [
    'a DevEUI that is too short',
    override('ids: [meter-7]\n      set: { devEui: ‸70B3D57ED00000 }'),
    'WrongValue',
  ],
  ['a DevEUI of zeros', override('ids: [meter-7]\n      set: { devEui: ‸"0000000000000000" }'), 'WrongValue'],
  [
    'a JoinEUI with separators',
    override('match: "a*"\n      set: { joinEui: ‸70-B3-D5-7E-D0-00-00-01 }'),
    'WrongValue',
  ],
  ['a ChirpStack as source', { source: 'source:\n  network: ‸chirpstack' }, 'NotBuiltYet'],
  ['a file without its path', { source: '‸source:\n  network: file', ...KEPT }, 'MissingField'],
  [
    'a file with an application',
    { source: 'source:\n  network: file\n  path: devices.json\n  ‸application: building-a', ...KEPT },
    'FieldOfOtherNetwork',
  ],
  [
    'a CSV that nobody describes',
    { source: '‸source:\n  network: file\n  path: meters.csv\n  format: csv', ...KEPT },
    'MissingField',
  ],
  [
    'columns of a JSON file',
    {
      source:
        'source:\n  network: file\n  path: a.json\n  format: devices-json\n  ‸columns: { devEui: DevEUI }',
      ...KEPT,
    },
    'WrongValue',
  ],
  [
    'columns that tell no device from another',
    { source: 'source:\n  network: file\n  path: a.csv\n  ‸columns: { appKey: AppKey }', ...KEPT },
    'ColumnsIncomplete',
  ],
  [
    'a file that is to be deleted from',
    {
      source: 'source:\n  network: file\n  path: devices.json',
      ...policy('persistSession: true, deleteSource: ‸after-heard'),
    },
    'NotOnFile',
  ],
  ['a discovery server over plain http', v2('discovery: ‸http://v2.example.com'), 'PlainHttp'],
  [
    'a V2 that lacks all of its own',
    { source: '‸source:\n  network: ttn-v2\n  application: building-a' },
    'MissingField',
    'MissingField',
    'MissingField',
  ],
  [
    'gateways of a source that registers none',
    {
      ...v2('url: https://v2.example.com'),
      rest: 'coverage: { gateways: on-target }\n‸gateways: { include: [{ all: true }], owner: { user: alice } }',
    },
    'GatewaysNotRegistered',
  ],
  [
    'what is around the devices of a source that has none',
    {
      ...v2('url: https://v2.example.com'),
      rest: 'coverage: { gateways: on-target }\n‸application: { webhooks: carry }',
    },
    'ApplicationNotCarried',
  ],
  ['a V2 of the public clusters [edge 92]', v2('url: ‸https://eu.thethings.network'), 'V2ClusterGone'],
  [
    'a V2 by two addresses',
    v2('url: https://v2.example.com\n  ‸discovery: https://v2.example.com'),
    'WrongValue',
  ],
  ['a V2 with an API key', v2('url: https://v2.example.com\n  ‸apiKey: { env: KEY }'), 'FieldOfOtherNetwork'],
  ['a V2 without a frequency plan', v2('url: https://v2.example.com', '‸defaults: {}'), 'MissingField'],
  [
    'an access key in the plan',
    v2('url: https://v2.example.com', undefined, '‸ttn-account-v2.AAAA'),
    'LiteralSecret',
  ],
  [
    'a V2 that is asked for its queue',
    { ...v2('url: https://v2.example.com'), ...policy('persistSession: true, queuedDownlinks: ‸copy') },
    'NotOnV2',
  ],
  ['a key in the plan', source(key, 'apiKey: ‸NNSXS.AAAA.BBBB'), 'LiteralSecret'],
  ['a number as key', source(key, 'apiKey: ‸12345678'), 'LiteralSecret'],
  ['a key as variable', source('SOURCE_API_KEY', '‸NNSXS.AAAA.BBBB'), 'LiteralSecret'],
  ['a hex key as variable', source('SOURCE_API_KEY', `‸A${'0123456789abcdef'.repeat(2)}`), 'LiteralSecret'],
  ['a key as file', source(key, 'apiKey: { file: ‸NNSXS.AAAA.BBBB }'), 'LiteralSecret'],
  ['a key as field', source(key, 'apiKey: { ‸NNSXSAAAA: 1 }'), 'UnknownField'],
  ['no key', source(key, '‸apiKey:'), 'WrongValue'],
  ['variable and file', source(key, '‸apiKey: { env: KEY, file: key }'), 'WrongValue'],
]

const TEXTS: readonly Case[] = [
  [
    'ids that are numbers',
    include('{ ids: [‸007, ‸1e3, ‸70e5000000000001, "008"] }'),
    'QuoteText',
    'QuoteText',
    'QuoteHex',
  ],
  ['ids that are words of YAML', include('{ ids: [‸true, ‸null] }'), 'QuoteText', 'QuoteText'],
  ['an EUI in capitals', include('{ ids: [‸70E5000000000001] }'), 'InvalidId', 'QuoteHex'],
  ['hexadecimal of YAML', include('{ ids: [‸0x70e5000000000001] }'), 'QuoteHex'],
  ['an attribute that is a number', include('{ attributes: { floor: ‸3 } }'), 'QuoteText'],
  ['a plan called 007', { metadata: 'metadata: { name: ‸007 }' }, 'QuoteText'],
  ['an application called 1e3', target('building-a', '‸1e3'), 'QuoteText'],
  ['a pattern that is a number', include('{ match: ‸70 }'), 'QuoteText'],
  [
    'a DevEUI that is a number',
    override('ids: [meter-7]\n      set: { devEui: ‸70E5000000000001 }'),
    'QuoteHex',
  ],
  ['a JoinEUI of zeros', override('match: "a*"\n      set: { joinEui: ‸0000000000000000 }'), 'QuoteHex'],
  ['a payload that is a number', anew(trigger('fPort: 10, payload: ‸01')), 'JoinNeeded', 'QuoteText'],
  [
    'a payload that is a long number',
    anew(trigger('fPort: 10, payload: ‸0102030405')),
    'JoinNeeded',
    'QuoteHex',
  ],
  ['a version that is a number', override('match: "a*"\n      set: { lorawanVersion: ‸1.1 }'), 'QuoteText'],
]

const NETWORKS: readonly Case[] = [
  ['a host without scheme', source('https://eu1', '‸eu1'), 'InvalidUrl'],
  [
    'a path',
    { target: TARGET.replace('https', '‸https').replace('industries', 'industries/console') },
    'InvalidUrl',
  ],
  [
    'a query',
    { target: TARGET.replace('https', '‸https').replace('industries', 'industries?a=b') },
    'InvalidUrl',
  ],
  ['another scheme', source('https', '‸ftp'), 'InvalidUrl'],
  ['a Cloud host without tenant', target('https://example.', '‸https://'), 'InvalidUrl'],
  ['credentials', source('https://', '‸https://user:word@'), 'LiteralSecret'],
  [
    'a registry with a path',
    source('application:', 'servers: { join: ‸https://join.example.com/api }\n  application:'),
    'InvalidUrl',
  ],
  ['a source without Join Server', source('application:', 'servers: { join: none }\n  application:')],
  [
    'a target without Join Server',
    target('application:', 'servers: { join: ‸none }\n  application:'),
    'InvalidUrl',
  ],
  [
    'a source without Network Server',
    source('application:', 'servers: { network: ‸none }\n  application:'),
    'InvalidUrl',
  ],
  ['plain http', source('https:', '‸http:'), 'PlainHttp'],
  [
    'plain http on this machine',
    { source: `source:\n  ${local(1885, key).replace('http', '‸http')}` },
    'PlainHttp',
  ],
  ['insecure elsewhere', source('application', 'insecure: ‸true\n  application'), 'InsecureNotLoopback'],
  [
    'caFile with insecure',
    { source: `source:\n  ${local(1885, `insecure: true\n  caFile: ‸ca.pem\n  ${key}`)}` },
    'WithoutEffect',
  ],
  [
    'one application',
    {
      target: `${SOURCE.replace('source', 'target').replace('SOURCE', 'TARGET').replace('building-a', '‸building-a')}`,
    },
    'SourceIsTarget',
  ],
  [
    'two applications of one host',
    {
      target: SOURCE.replace('source', 'target')
        .replace('SOURCE', 'TARGET')
        .replace('https', '‸https')
        .replace('building-a', 'building-b'),
    },
    'SameDeployment',
  ],
  [
    'two tenants of the Cloud',
    {
      source: SOURCE.replace('eu1.cloud.thethings.network', 'other.nam1.cloud.thethings.industries'),
      target: TARGET.replace('https', '‸https'),
    },
    'SameDeployment',
  ],
  [
    'two regions of the Sandbox',
    target('https://example.eu1.cloud.thethings.industries', '‸https://nam1.cloud.thethings.network'),
    'SameDeployment',
  ],
  [
    'one Identity Server',
    {
      source: SOURCE.replace('eu1.cloud.thethings.network', 'a.example.com').replace(
        'application',
        'servers: { identity: https://is.example.com }\n  application',
      ),
      target: TARGET.replace(
        'https://example.eu1.cloud.thethings.industries',
        '‸https://b.example.com',
      ).replace('application', 'servers: { identity: https://is.example.com }\n  application'),
    },
    'SameDeployment',
  ],
  [
    'one host, two ports',
    {
      source: SOURCE.replace('eu1.cloud.thethings.network', 'a.example.com'),
      target: TARGET.replace('https://example.eu1.cloud.thethings.industries', '‸https://a.example.com:8885'),
    },
    'SameHost',
  ],
  [
    'localhost and 127.0.0.1',
    {
      source: `source:\n  ${local(1885, `insecure: true\n  ${key}`)}`,
      target: `target:\n  ${local(1885, 'insecure: true\n  apiKey: { env: TARGET_API_KEY }').replace('http://127.0.0.1', '‸http://localhost').replace('building-a', 'building-b')}`,
    },
    'SameDeployment',
  ],
  [
    'delete-first between two applications of one host',
    withinOne(policy('persistSession: true, handover: ‸delete-first', '')),
    'DeleteFirst',
  ],
  [
    'delete-first between two tenants of the Cloud',
    {
      ...policy('persistSession: true, handover: ‸delete-first'),
      source: SOURCE.replace('eu1.cloud.thethings.network', 'other.nam1.cloud.thethings.industries'),
    },
    'DeleteFirst',
  ],
  [
    'stop-first of some devices within one deployment',
    withinOne({
      ...override('match: "a*"\n      policy: { handover: ‸stop-first, deleteSource: after-heard }'),
      ...policy('persistSession: true, handover: ‸delete-first'),
    }),
    'SameDeployment',
    'DeleteFirst',
  ],
  [
    'delete-first of some devices within one deployment',
    {
      ...withinOne(override('match: "a*"\n      policy: { handover: ‸delete-first }')),
      target: SOURCE.replace('source', 'target')
        .replace('building-a', 'building-b')
        .replace('https', '‸https'),
    },
    'SameDeployment',
    'DeleteFirst',
  ],
  [
    'a handover that is none, within one deployment',
    withinOne(policy('persistSession: true, deleteSource: after-heard, handover: ‸delete')),
    'WrongValue',
  ],
  [
    'delete-first on one host with two ports',
    {
      ...policy('persistSession: true, handover: ‸delete-first'),
      source: SOURCE.replace('eu1.cloud.thethings.network', 'a.example.com'),
      target: TARGET.replace('https://example.eu1.cloud.thethings.industries', 'https://a.example.com:8885'),
    },
    'DeleteFirst',
  ],
  [
    'one API key for two applications of two regions',
    {
      ...policy('persistSession: true, handover: ‸delete-first'),
      target: SOURCE.replace('source', 'target').replace('eu1', 'nam1'),
    },
    'DeleteFirst',
  ],
  [
    'one API key for two tenants',
    {
      ...policy('persistSession: true, handover: ‸delete-first'),
      source: SOURCE.replace('eu1.cloud.thethings.network', 'other.nam1.cloud.thethings.industries'),
      target: TARGET.replace('TARGET_API_KEY', 'SOURCE_API_KEY').replace('apiKey', '‸apiKey'),
    },
    'SameApiKey',
    'DeleteFirst',
  ],
  [
    'one API key',
    { target: TARGET.replace('TARGET_API_KEY', 'SOURCE_API_KEY').replace('apiKey', '‸apiKey') },
    'SameApiKey',
  ],
]

const SELECTION: readonly Case[] = [
  ['an id twice', include('{ ids: [meter-7, ‸meter-7] }'), 'DuplicateId'],
  ['an id in two entries', include('{ ids: [meter-7] }, { ids: [‸meter-7] }'), 'DuplicateId'],
  [
    'an id in both lists',
    devices('  include: [{ ids: [meter-1, ‸meter-7] }]\n  exclude: [{ ids: [meter-7] }]'),
    'ExcludedId',
  ],
  [
    'everything excluded',
    devices('  include: [{ all: true }]\n  exclude: [{ match: ‸"*" }]'),
    'ExcludesEverything',
  ],
  ['all and more', include('{ all: true }, { match: ‸"a*" }'), 'WithoutEffect'],
  [
    'a canary of all',
    {
      ...include('{ ids: [meter-1, meter-2] }'),
      rest: 'coverage: { gateways: on-target }\nrollout: { canary: ‸2 }',
    },
    'CanaryIsAll',
  ],
  ['a file that was not read', include('{ idsFile: ‸nowhere.txt }'), 'IdsFileUnreadable'],
]

const OVERRIDES: readonly Case[] = [
  [
    'no selector',
    devices('  include: [{ all: true }]\n  overrides:\n    - ‸policy: { rx1Delay: 5 }'),
    'EmptySelector',
  ],
  ['no change', override('‸match: "a*"'), 'WithoutEffect'],
  [
    'a device that stays',
    devices(
      '  include: [{ ids: [meter-1] }]\n  overrides:\n    - ‸ids: [meter-2]\n      policy: { rx1Delay: 5 }',
    ),
    'WithoutEffect',
  ],
  [
    'the value of the plan',
    override('match: "a*"\n      policy: { deleteSource: ‸after-heard }'),
    'WithoutEffect',
  ],
  [
    'one selection twice',
    override('match: "a*"\n      policy: { rx1Delay: 5 }\n    - ‸match: "a*"\n      policy: { rx1Delay: 6 }'),
    'DuplicateOverride',
  ],
  [
    'a rule for ids with a word that stands for nothing',
    override('match: "a*"\n      set: { deviceId: ‸"{prefix}-{id}" }'),
    'UnknownPlaceholder',
  ],
  ['an id for many', override('match: "a*"\n      set: { deviceId: ‸meter-7 }'), 'DeviceIdNeedsOneId'],
  [
    'an id for two',
    override('ids: [meter-1, meter-2]\n      set: { deviceId: ‸meter-7 }'),
    'DeviceIdNeedsOneId',
  ],
  [
    'one id twice',
    override(
      'ids: [meter-1]\n      set: { deviceId: meter-7 }\n    - ids: [meter-2]\n      set: { deviceId: ‸meter-7 }',
    ),
    'DuplicateDeviceId',
  ],
  [
    'a trigger of the plan, with its defaults',
    {
      ...override(
        `match: "a*"\n      policy: { ‸rejoin: { trigger: source-downlink, fPort: 10, payload: "ff", confirmed: false } }`,
      ),
      ...anew(trigger('fPort: 10, payload: FF')),
    },
    'WithoutEffect',
    'JoinNeeded',
  ],
  [
    'a DevEUI for many',
    override('match: "a*"\n      set: { devEui: ‸70B3D57ED0000001 }'),
    'DevEuiNeedsOneId',
  ],
  [
    'a DevEUI for two',
    override('ids: [meter-1, meter-2]\n      set: { devEui: ‸70B3D57ED0000001 }'),
    'DevEuiNeedsOneId',
  ],
  [
    'one DevEUI twice',
    override(
      'ids: [meter-1]\n      set: { devEui: 70B3D57ED000000A }\n    - ids: [meter-2]\n      set: { devEui: ‸70b3d57ed000000a }',
    ),
    'DuplicateDevEui',
  ],
  [
    'the id of another',
    devices(
      '  include: [{ ids: [meter-1, meter-2] }]\n  overrides:\n    - ids: [meter-1]\n      set: { deviceId: ‸meter-2 }',
    ),
    'DuplicateDeviceId',
  ],
  [
    'versions that do not fit',
    override('match: "a*"\n      set: { lorawanVersion: "1.0.3", lorawanPhyVersion: ‸"1.0.2-b" }'),
    'VersionMismatch',
  ],
  [
    'obedience without a question',
    override('match: "a*"\n      set: { obeysRxTimingSetup: ‸true }'),
    'WithoutEffect',
  ],
]

const POLICY: readonly Case[] = [
  ['A4c: a kept source decodes too', policy('persistSession: ‸true'), 'DuplicateUplinks'],
  ['A4c: said so', policy('persistSession: true, deleteSource: ‸never'), 'DuplicateUplinks'],
  [
    'A4c: by an override',
    override('match: "a*"\n      policy: { deleteSource: ‸never }'),
    'DuplicateUplinks',
  ],
  [
    'A4d: nothing prevents a join',
    policy('persistSession: ‸false, preventRejoin: ‸none'),
    'JoinNeeded',
    'RejoinNotPrevented',
  ],
  [
    'A4d: nothing to prevent',
    policy('persistSession: true, deleteSource: after-import, preventRejoin: ‸replace-root-keys'),
    'WithoutEffect',
  ],
  [
    'a time for no delete',
    policy('persistSession: ‸false', 'coverage: { gateways: on-target }\nverify: { retireAfter: ‸7d }'),
    'JoinNeeded',
    'WithoutEffect',
  ],
  ['A6d: frames can be replayed', policy('persistSession: false, resetFrameCounters: ‸true'), 'ReplayRisk'],
  [
    'A7c: gateways may not hear',
    policy('persistSession: ‸true, deleteSource: after-heard', 'coverage: { gateways: unknown }'),
    'CoverageUnknown',
  ],
  [
    'A7d: gateways may not hear',
    policy('persistSession: false, resetFrameCounters: ‸true', ''),
    'CoverageUnknown',
    'ReplayRisk',
  ],
  [
    'A7d: Packet Broker goes by DevAddr',
    policy('persistSession: ‸true, deleteSource: after-heard', 'coverage: { gateways: packet-broker }'),
    'PacketBrokerByDevAddr',
  ],
  ['A8d: devices have to join', policy('persistSession: ‸false'), 'JoinNeeded'],
  [
    'A7c: new credentials come with a new DevAddr',
    policy('persistSession: false, abp: reprogram, rootKeys: ‸generate', ''),
    'ReprogramNeeded',
  ],
  [
    'A7c: OTAA devices keep theirs',
    policy('persistSession: ‸true, abp: ‸reprogram, deleteSource: after-heard', ''),
    'CoverageUnknown',
    'ReprogramNeeded',
  ],
]

const HANDOVER: readonly Case[] = [
  ['A2c: between deployments', policy('persistSession: true, handover: ‸delete-first'), 'DeleteFirst'],
  ['A2c: by an override', override('match: "a*"\n      policy: { handover: ‸delete-first }'), 'DeleteFirst'],
  [
    'A4c: what is deleted anyhow',
    policy('persistSession: true, handover: ‸delete-first, deleteSource: ‸after-heard'),
    'DeleteFirst',
    'WithoutEffect',
  ],
  [
    'A4c: a delete of some devices that are deleted anyhow',
    {
      ...override('match: "a*"\n      policy: { deleteSource: ‸after-heard }'),
      ...policy('persistSession: true, handover: ‸delete-first'),
    },
    'WithoutEffect',
    'DeleteFirst',
  ],
  [
    'A4c: a delete that some devices need',
    {
      ...override('match: "a*"\n      policy: { handover: stop-first }'),
      ...policy('persistSession: true, handover: ‸delete-first, deleteSource: after-heard'),
    },
    'DeleteFirst',
  ],
  [
    'A4c: some devices are kept',
    {
      ...override('match: "a*"\n      policy: { handover: ‸stop-first }'),
      ...policy('persistSession: true, handover: ‸delete-first'),
    },
    'DuplicateUplinks',
    'DeleteFirst',
  ],
  [
    'A4d: nothing is left to join',
    policy('persistSession: true, handover: ‸delete-first, preventRejoin: ‸replace-root-keys'),
    'DeleteFirst',
    'WithoutEffect',
  ],
  [
    'A4d: nothing has to be prevented',
    policy('persistSession: true, handover: ‸delete-first, preventRejoin: none'),
    'DeleteFirst',
  ],
  [
    'a time for a delete that comes first',
    policy(
      'persistSession: true, handover: ‸delete-first, deleteSource: ‸after-heard',
      'coverage: { gateways: on-target }\nverify: { retireAfter: ‸7d }',
    ),
    'DeleteFirst',
    'WithoutEffect',
    'WithoutEffect',
  ],
  [
    'a queue that is gone',
    policy('persistSession: true, handover: ‸delete-first, queuedDownlinks: ‸copy'),
    'DeleteFirst',
    'ConflictingPolicy',
  ],
  [
    'a queue that is gone for some devices',
    {
      ...override('match: "a*"\n      policy: { handover: ‸delete-first }'),
      ...kept('queuedDownlinks: copy'),
    },
    'ConflictingPolicy',
    'DeleteFirst',
  ],
  [
    'a queue for keys that end',
    kept('abp: reprogram, rootKeys: ‸generate, queuedDownlinks: ‸copy'),
    'ReprogramNeeded',
    'WithoutEffect',
  ],
  [
    'a queue for devices that are reset',
    policy('persistSession: false, resetFrameCounters: ‸true, queuedDownlinks: copy'),
    'ReplayRisk',
  ],
  ['a queue for a session that ends', anew('queuedDownlinks: ‸copy'), 'JoinNeeded', 'WithoutEffect'],
  [
    'a queue for the sessions that go on',
    {
      ...override('match: "a*"\n      policy: { persistSession: ‸false }'),
      ...kept('queuedDownlinks: copy'),
    },
    'JoinNeeded',
  ],
]

const REJOIN: readonly Case[] = [
  ['no port', anew('‸rejoin: { trigger: source-downlink, payload: "01" }'), 'JoinNeeded', 'MissingField'],
  [
    'no port in an override',
    {
      ...override('match: "a*"\n      policy: { ‸rejoin: { trigger: source-downlink } }'),
      ...anew(trigger('fPort: 10')),
    },
    'MissingField',
    'JoinNeeded',
  ],
  [
    'a downlink that nothing sends',
    anew('rejoin: { trigger: manual, fPort: ‸10, payload: ‸"01", confirmed: ‸false }'),
    'JoinNeeded',
    'ConflictingPolicy',
    'ConflictingPolicy',
    'ConflictingPolicy',
  ],
  [
    'A8d: nobody is left to send',
    anew(`handover: ‸delete-first, ‸${trigger('fPort: 10')}`),
    'JoinNeeded',
    'DeleteFirst',
    'ConflictingPolicy',
  ],
  [
    'A8d: nobody may be left to send',
    anew(`‸${trigger('fPort: 10')}, deleteSource: after-import`),
    'JoinNeeded',
    'ConflictingPolicy',
  ],
  [
    'A8d: nobody is left to send for some devices',
    {
      ...override('match: "a*"\n      policy: { deleteSource: ‸after-import }'),
      ...anew(trigger('fPort: 10')),
    },
    'ConflictingPolicy',
    'JoinNeeded',
  ],
  [
    'A4d: two networks accept the join',
    anew(`${trigger('fPort: 10')}, preventRejoin: ‸none, deleteSource: after-heard`),
    'JoinNeeded',
    'ConflictingPolicy',
  ],
  ['A8d: nothing to join for', kept('‸rejoin: { trigger: manual }'), 'WithoutEffect'],
  [
    'A8d: some devices join',
    {
      ...override('match: "a*"\n      policy: { persistSession: ‸false }'),
      ...kept('rejoin: { trigger: manual }'),
    },
    'JoinNeeded',
  ],
  [
    'A8d: devices join once they are programmed',
    anew('abp: keep, ‸rejoin: { trigger: manual }, rootKeys: ‸generate'),
    'JoinNeeded',
    'WithoutEffect',
    'ReprogramNeeded',
  ],
  ['the default', kept('rejoin: { trigger: none }')],
]

const to = (fields: string) => override(`match: "a*"\n      ${fields}`)
const CREDENTIALS: readonly Case[] = [
  ['A1d: new root keys', kept('rootKeys: ‸generate'), 'ReprogramNeeded'],
  [
    'A6d: new root keys, and no source until they are in the device',
    policy('persistSession: true, deleteSource: after-import, rootKeys: ‸generate'),
    'ReprogramKeepsSource',
    'ReprogramNeeded',
  ],
  [
    'A6d: new session keys, and no source until they are in the device',
    policy('persistSession: true, deleteSource: after-import, rootKeys: keep, abp: ‸reprogram'),
    'ReprogramKeepsSource',
    'ReprogramNeeded',
  ],
  [
    'A6d: a source that some devices need',
    { ...to('policy: { deleteSource: ‸after-import }'), ...kept('abp: ‸reprogram') },
    'ReprogramKeepsSource',
    'ReprogramNeeded',
  ],
  [
    'A6d: a source that is deleted first, which devices that are re-programmed are not',
    policy('persistSession: true, handover: ‸delete-first, abp: ‸reprogram'),
    'DeleteFirst',
    'ReprogramNeeded',
  ],
  [
    'A6d: reset and re-programmed',
    kept('resetFrameCounters: ‸true, abp: ‸reprogram'),
    'ReplayRisk',
    'ConflictingPolicy',
    'ReprogramNeeded',
  ],
  [
    'A6d: some are reset, and all re-programmed',
    { ...to('policy: { resetFrameCounters: ‸‸true }'), ...kept('abp: ‸reprogram') },
    'ConflictingPolicy',
    'ReplayRisk',
    'ReprogramNeeded',
  ],
  ['A1d: nowhere to join', kept('abp: ‸to-otaa'), 'JoinEuiMissing', 'ReprogramNeeded'],
  ['A1d: nowhere to join for some', to('policy: { abp: ‸to-otaa }'), 'JoinEuiMissing', 'ReprogramNeeded'],
  [
    'A1d: somewhere to join',
    to('policy: { abp: ‸to-otaa }\n    - match: "b*"\n      set: { joinEui: "70B3D57ED0000000" }'),
    'ReprogramNeeded',
  ],
  [
    'A1d: a place to join that is wrong',
    to('policy: { abp: ‸to-otaa }\n      set: { joinEui: ‸"70B3D57ED00" }'),
    'ReprogramNeeded',
    'WrongValue',
  ],
  [
    'A9d: other EUIs',
    override('ids: [meter-7]\n      set: { devEui: 70B3D57ED0000001, joinEui: 70B3D57ED0000000 }'),
  ],
]

const AGE = 'age1wqmhyn3wtv37z5mjnu95a3g0cqz4x0qrnjvzrq2mj2dvm6dx3uastgf4ke'
const EXAMPLE = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
const rest = (lines: string): Sections => ({ rest: `coverage: { gateways: on-target }\n${lines}` })
const FILES: readonly Case[] = [
  ['an identity as recipient', rest('escrow: { recipients: [‸AGE-SECRET-KEY-1QQQQ] }'), 'LiteralSecret'],
  [
    'a mistyped recipient',
    rest(`escrow: { recipients: [‸${AGE.replace('wqm', 'wqn')}] }`),
    'InvalidRecipient',
  ],
  ['an ssh key as recipient', rest('escrow: { recipients: [‸ssh-ed25519 AAAA] }'), 'InvalidRecipient'],
  ['the recipient of the examples', rest(`escrow: { recipients: [‸${EXAMPLE}] }`), 'ExampleRecipient'],
  ['a recipient twice', rest(`escrow: { recipients: [${AGE}, ‸${AGE}] }`), 'DuplicateRecipient'],
  ['a path of a shell', rest('state: ‸~/a.jsonl'), 'InvalidPath'],
  ['the plan as state', rest('state: ‸building-a.yaml'), 'PathInUse'],
  ['the state as escrow', rest('escrow: { path: ‸./building-a.state.jsonl }'), 'PathInUse'],
]

const forbids = (name: string, policy: string): Sections => ({
  policy: `policy: { ${policy} }`,
  rest: `coverage: { gateways: on-target }\nforbid: [${name}]`,
})
const SESSIONS_KEPT = 'persistSession: true, deleteSource: after-heard'
const FORBIDDEN: readonly Case[] = [
  ['deletes', forbids('deleteSource', 'persistSession: true, deleteSource: ‸after-heard'), 'Forbidden'],
  [
    'joining anew',
    forbids('joinAnew', 'persistSession: ‸false, deleteSource: after-heard'),
    'Forbidden',
    'JoinNeeded',
  ],
  [
    're-programming',
    forbids('reprogram', `${SESSIONS_KEPT}, abp: ‸reprogram`),
    'Forbidden',
    'ReprogramNeeded',
  ],
  ['unmuting', forbids('unmute', `${SESSIONS_KEPT}, mutedSource: ‸unmute`), 'Forbidden'],
  ['adopting', forbids('adopt', `${SESSIONS_KEPT}, adopt: ‸partial`), 'Forbidden'],
  [
    'new root keys by default',
    { ...forbids('replaceRootKeys', ''), policy: `‸policy: { ${SESSIONS_KEPT} }` },
    'Forbidden',
  ],
  [
    'nothing that is ordered',
    forbids('resetFrameCounters, unmute, adopt, reprogram, joinAnew', SESSIONS_KEPT),
  ],
  [
    'what an override orders',
    {
      devices:
        'devices:\n  include: [{ all: true }]\n  overrides:\n    - match: "a*"\n      policy: { mutedSource: ‸unmute }',
      rest: 'coverage: { gateways: on-target }\nforbid: [unmute]',
    },
    'Forbidden',
  ],
  ['what is no name', forbids('‸everything', SESSIONS_KEPT), 'WrongValue'],
]

const run = (cases: readonly Case[]): void => {
  it.each(cases.map(([name, text, ...codes]) => [name, text, codes] as const))('%s', (_, input, codes) => {
    const { text, places } = marked(typeof input === 'string' ? input : planText(input))
    // findings may share a place: the last mark is then meant by the codes that are left
    const expected = codes.map(
      (code, index) => `${places[Math.min(index, places.length - 1)] ?? 'plans/building-a.yaml:1:1'} ${code}`,
    )
    const result = parse(text)
    expect(told(result)).toEqual(expected)
    for (const { message, hint } of result.diagnostics) {
      expect(message).toMatch(/^(?:[a-z0-9"(]|OTAA|Packet)[^\n]*[^.\n]$/)
      if (hint !== undefined) expect(hint).toMatch(/^[^\n]*[^.\n]$/)
    }
  })
}

describe('findings, at their place', () => {
  it('none in a plan that is right', () => {
    expect(parse(planText())).toMatchObject({ ok: true, diagnostics: [] })
  })
  describe('YAML', () => run(YAML))
  describe('schema', () => run(SCHEMA))
  describe('texts that YAML reads otherwise', () => run(TEXTS))
  describe('networks', () => run(NETWORKS))
  describe('selection', () => run(SELECTION))
  describe('overrides', () => run(OVERRIDES))
  describe('policy, by the cells of the guides', () => run(POLICY))
  describe('handover', () => run(HANDOVER))
  describe('joining anew', () => run(REJOIN))
  describe('new credentials', () => run(CREDENTIALS))
  describe('files', () => run(FILES))
  describe('rollout', () => run(ROLLOUT))
  describe('places of state and escrow', () => run(PLACES))
  describe('what is forbidden', () => run(FORBIDDEN))
})
