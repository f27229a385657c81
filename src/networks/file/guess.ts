import type { FileColumn, FileColumns } from '../../domain/migration-plan.ts'

/** What people and makers call columns, without capitals, blanks, hyphens and underscores; the usual first. */
const CALLED: { readonly [C in FileColumn]: readonly string[] } = {
  deviceId: ['deviceid', 'devid', 'id'],
  devEui: ['deveui', 'deviceeui', 'eui'],
  joinEui: ['joineui', 'appeui', 'applicationeui'],
  appKey: ['appkey', 'applicationkey'],
  nwkKey: ['nwkkey', 'networkkey'],
  devAddr: ['devaddr', 'deviceaddress'],
  appSKey: ['appskey', 'applicationsessionkey'],
  nwkSKey: ['nwkskey', 'fnwksintkey', 'networksessionkey'],
  sNwkSIntKey: ['snwksintkey'],
  nwkSEncKey: ['nwksenckey'],
  fCntUp: ['fcntup', 'lastfcntup', 'uplinkcounter'],
  nFCntDown: ['fcntdown', 'nfcntdown', 'lastnfcntdown', 'downlinkcounter'],
  aFCntDown: ['afcntdown', 'lastafcntdown'],
  frequencyPlan: ['frequencyplan', 'frequencyplanid'],
  lorawanVersion: ['lorawanversion', 'macversion'],
  lorawanPhyVersion: ['lorawanphyversion', 'phyversion', 'regionalparameters'],
  class: ['class', 'deviceclass'],
  name: ['name', 'devicename', 'label'],
  description: ['description', 'remarks', 'comment'],
  latitude: ['latitude', 'lat'],
  longitude: ['longitude', 'lon', 'lng'],
  altitude: ['altitude', 'alt'],
}

/** The columns of a CSV by what their headings probably mean; each heading for one thing. */
export const guessColumns = (headings: readonly string[]): FileColumns => {
  const found: { [C in FileColumn]?: string } = {}
  for (const [column, names] of Object.entries(CALLED) as [FileColumn, readonly string[]][]) {
    const heading = headings.find((each) => names.includes(each.toLowerCase().replace(/[\s_-]+/g, '')))
    if (heading !== undefined) found[column] = heading
  }
  return found
}
