import { joins, speaks } from '../support/acts.ts'
import { interruptions } from '../support/interruptions.ts'
import { METER, METER_11, VALVE } from '../support/meters.ts'

/** State and escrow lie at an address: whatever a runner had besides is lost with it, at any instant. */
interruptions('a runner that is lost', {
  'in a kept session, whose source is deleted once it was heard': {
    fleet: [METER],
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    lostRunner: 'webdav',
    next: [speaks('meter-1')],
  },
  'in a kept session of LoRaWAN 1.1 that sends while no run is at work': {
    fleet: [METER_11],
    plan: 'policy: { persistSession: true }',
    lostRunner: 'gitlab',
    meanwhile: speaks('meter-11'),
    next: [speaks('meter-11')],
  },
  'in sessions of ABP': {
    fleet: [VALVE],
    plan: 'policy: { persistSession: true, deleteSource: after-import }',
    lostRunner: 'gitlab',
    next: [speaks('valve-1')],
  },
  'while a device joins anew': {
    fleet: [METER],
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    lostRunner: 'webdav',
    next: [joins('meter-1')],
  },
  'while the escrow alone holds a device': {
    fleet: [METER],
    plan: 'policy: { persistSession: true, handover: delete-first }',
    options: { oneNetwork: true },
    lostRunner: 'gitlab',
    next: [speaks('meter-1')],
  },
  'while new keys are made': {
    fleet: [METER, VALVE],
    plan: 'policy: { persistSession: true, rootKeys: generate, abp: reprogram }',
    lostRunner: 'webdav',
    isReprogrammed: true,
  },
})
