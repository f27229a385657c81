import { keepsSession } from '../../device/route.ts'
import { type DeviceRule, error } from './rule.ts'

export const FILE_BLOCKING: readonly DeviceRule[] = [
  {
    from: 'a session goes on with its counters: from 0 the target would take old frames, and the device refuse its downlinks',
    check: ({ source, route, isUnderWay }) =>
      source.untold?.counters === true && route !== undefined && keepsSession(route) && !isUnderWay
        ? error(
            'CountersNotInFile',
            'the file has its session and not its frame counters',
            'name their columns (fCntUp, nFCntDown), or have it join anew or be reset',
          )
        : undefined,
  },
]
