/**
 * What the tool does with awkward devices and runs, by number. proceeds, changes (and tells it), warns, leaves alone (one
 * device; the others go on), refuses (the whole run, before any write), asks (needs an option or a field of the plan).
 * `not built` has no test, and says what is missing.
 */
type Verdict = 'proceeds' | 'changes' | 'warns' | 'leaves alone' | 'refuses' | 'asks' | 'not built'

export interface EdgeCase {
  readonly title: string
  readonly verdict: Verdict
  readonly does: string
}

const edge = (title: string, verdict: Verdict, does: string): EdgeCase => ({ title, verdict, does })

/** In the order of their numbers, from 1. */
export const EDGE_CASES: readonly EdgeCase[] = [
  edge(
    'device id of more than 36 characters',
    'changes',
    'cut, and ended by digits made from all of it; told, and kept as the attribute `old-id`',
  ),
  edge(
    'device id with capitals, underscores, blanks, other scripts, or too short',
    'changes',
    'written in the form that the target takes; told, and kept as `old-id`',
  ),
  edge(
    'two ids that become one',
    'leaves alone',
    'both, before any write; `overrides[].set.deviceId` names one',
  ),
  edge(
    'two devices with one DevEUI',
    'leaves alone',
    'both where the JoinEUI is the same too; with another JoinEUI both cross',
  ),
  edge(
    'EUIs that another application of the target has',
    'leaves alone',
    'its holder is named where the key may look; nothing of it is deleted',
  ),
  edge('on the target already, the same', 'proceeds', 'recorded, nothing is written'),
  edge('on the target already, with other root keys', 'leaves alone', 'never overwritten'),
  edge(
    'on the target already, with a newer session',
    'proceeds',
    'settings alone are updated; session, counters and MAC state are never written',
  ),
  edge(
    'id or EUIs that were deleted on the target',
    'proceeds',
    'device ids are free after a delete: it is created again',
  ),
  edge('JoinEUI of zeros', 'proceeds', 'it is a JoinEUI like others'),
  edge(
    'no JoinEUI of a device that joins',
    'asks',
    'left alone, unless `source.defaults.joinEui` says what such devices hold',
  ),
  edge(
    'fixed keys and no DevEUI',
    'proceeds',
    'below LoRaWAN 1.0.4; left alone from there on, for the target needs one',
  ),
  edge(
    'EUIs in other spellings, or in the wrong order',
    'changes',
    'separators and case do not matter; lost zeros are repaired and told; a DevEUI that looks reversed is a warning',
  ),
  edge(
    'application that does not exist, or has an id that is none',
    'refuses',
    'applications are made by people; the plan names one that is there',
  ),
  edge('LoRaWAN 1.0 without NwkKey', 'proceeds', 'AppKey alone'),
  edge(
    'LoRaWAN 1.0 with NwkKey',
    'warns',
    'both keys and their id are carried; the target checks joins by the NwkKey',
  ),
  edge(
    'LoRaWAN 1.1 with both root keys and three network keys',
    'proceeds',
    'all are carried, each to the registry that it is for',
  ),
  edge('LoRaWAN 1.1 without NwkKey', 'leaves alone', 'it could not join'),
  edge(
    'LoRaWAN 1.0 session with network keys that differ',
    'leaves alone',
    'they are one key there, so the record is wrong',
  ),
  edge(
    'keys that are cleared, or all zeros',
    'leaves alone',
    'it was handed over before; zeros are never written',
  ),
  edge(
    'key that the server holds wrapped',
    'leaves alone',
    'the field is named; wrapped bytes are never taken for a key',
  ),
  edge(
    'KEK labels, net id, AS id and provisioner data',
    'changes',
    'they belong to the old cluster and stay behind',
  ),
  edge('external Join Server', 'proceeds', 'nothing is written to a Join Server; the preview tells it'),
  edge(
    'payloads that the Application Server leaves encrypted',
    'proceeds',
    'the flag is carried, the key it keeps is not needed',
  ),
  edge(
    'claim authentication code',
    'warns',
    'it stays behind, is kept in the escrow, and shown nowhere; whoever reads the label can not claim the device from the target',
  ),
  edge('API key without a right', 'refuses', 'before any write, and the right is named'),
  edge(
    'OTAA that never joined',
    'proceeds',
    'registration and root keys; done when it has joined and was heard',
  ),
  edge('fixed keys, never used', 'proceeds', 'frame 0 is taken by the target'),
  edge(
    'fixed keys, and sessions are not kept',
    'asks',
    'left alone, unless it is reset, re-programmed or kept by an override',
  ),
  edge('malformed key', 'leaves alone', 'the field, or row and column, is told, never the value'),
  edge('join that is not confirmed yet', 'leaves alone', 'until its next uplink'),
  edge(
    'active session, and a join in flight',
    'proceeds',
    'the active session crosses; if it joins at the last moment it is deferred',
  ),
  edge(
    '16-bit frame counters near 65 535',
    'proceeds',
    'the whole counter, and the setting in so many words; it rolls over on the target',
  ),
  edge('32-bit frame counter near its end', 'warns', 'carried; it has to join anew soon'),
  edge(
    'uplinks between reading and switch',
    'proceeds',
    'the source is read again when it is silent; counters are never above the true ones',
  ),
  edge(
    'downlinks between reading and switch',
    'changes',
    'a margin is added where the source can not be muted, or where the plan says so',
  ),
  edge('counters of ChirpStack, which are the next ones', 'not built', 'ChirpStack is no source yet'),
  edge(
    'last uplink counter of 0 with a session',
    'proceeds',
    'the MAC state tells whether frame 0 was used; where none is there the loss of the first frame is told',
  ),
  edge(
    'gap between the stored and the live counter',
    'asks',
    'counters are read live; a file without them can not keep sessions',
  ),
  edge('application downlink counter of LoRaWAN 1.0', 'changes', 'the higher of both goes on for both'),
  edge('network and application counters of LoRaWAN 1.1', 'proceeds', 'each on its own server'),
  edge(
    'session without an id of its keys',
    'changes',
    'devices that join get one, the same on both servers; fixed keys have none',
  ),
  edge(
    'times that can not be',
    'changes',
    'the start of a session that is no time, or is older than LoRaWAN, is left out and told',
  ),
  edge('device that starts its nonces again', 'proceeds', '`resets_join_nonces` of the source is carried'),
  edge(
    'JoinNonce that nobody knows',
    'changes',
    'from LoRaWAN 1.0.4 on the target starts above any that the device can have seen',
  ),
  edge('highest JoinNonce that there is', 'leaves alone', 'it can not join again with these keys'),
  edge('more used nonces than the target keeps', 'changes', 'the newest ten'),
  edge(
    'joins on the source between plan and apply',
    'leaves alone',
    'it alone is stale, and its source serves it',
  ),
  edge('joins on the target before its session is written', 'proceeds', 'the new session is left as it is'),
  edge('downlinks in the queue', 'asks', 'counted and told; `policy.queuedDownlinks` copies them or waits'),
  edge(
    'pending MAC requests',
    'proceeds',
    'carried, for the answer has to find them; what was queued to be sent is not',
  ),
  edge(
    'DevAddr outside of what the target hears',
    'asks',
    'left alone until `coverage.gateways` says how it is heard',
  ),
  edge(
    'DevAddr that another device has',
    'leaves alone',
    'two that have one set of session keys too; with other keys both cross, as the target tells them apart by the MIC',
  ),
  edge('frequency plan that the target does not know', 'leaves alone', 'plans of its band are proposed'),
  edge('frequency plan of another band', 'leaves alone', 'a session is never mixed with another band'),
  edge(
    'other channels of the same band, with a session',
    'warns',
    'the session keeps its channels; that gateways have to listen on them is told',
  ),
  edge(
    'channels and RX2 that are not the defaults',
    'proceeds',
    'what the source gave is what the target uses from the first frame on',
  ),
  edge(
    'RX1 delay of 1 s, and 5 s on the target',
    'asks',
    '`policy.rx1Delay`: kept, or asked of the device while the old one is in use',
  ),
  edge(
    'LoRaWAN or PHY version that the target does not know',
    'leaves alone',
    'an override may set another; nothing is mapped down unasked',
  ),
  edge('class B', 'proceeds', 'periodicity, frequency, data rate and timeout are carried'),
  edge(
    'class C, also with fixed keys',
    'proceeds',
    'carried; that no downlinks come during the switch is told',
  ),
  edge('multicast group', 'proceeds', 'after its members, by its downlink counter; never waited for'),
  edge(
    'relay and the devices that it serves',
    'changes',
    'ids of devices that are renamed are changed in settings of relays and in the MAC state; told as fields of the plan',
  ),
  edge('ADR of its own, and other settings of one form out of several', 'proceeds', 'carried without loss'),
  edge(
    'muted on the source, not by us',
    'asks',
    'left alone; `policy.mutedSource` carries it muted or unmutes it',
  ),
  edge('status requests, switched off', 'proceeds', 'an explicit 0 stays one'),
  edge(
    'too many attributes, or keys that are not taken',
    'changes',
    'keys in the form that is taken, the first ten; both told',
  ),
  edge('name or description that is too long', 'changes', 'cut between characters, and told'),
  edge(
    'payload formatter that is too long or not known',
    'changes',
    'the formatter alone stays behind, and is told; one by the name of a repository is kept',
  ),
  edge('codec of ChirpStack', 'not built', 'ChirpStack is no source yet'),
  edge('model that the target does not know', 'proceeds', 'kept as it is'),
  edge(
    'location at 0/0, or out of range',
    'changes',
    'a Stack V2 says 0/0 for none; a file with degrees out of range is told by row and column',
  ),
  edge('picture', 'changes', 'links to the old store stay behind'),
  edge(
    'registered in some registries only',
    'leaves alone',
    'and told which; `policy.adopt: partial` completes what suffices',
  ),
  edge(
    'registered without the Identity Server',
    'warns',
    '`ferry audit` finds it by EUIs and ids that are known',
  ),
  edge('ids that differ between registries', 'leaves alone', 'both values are told'),
  edge('application without devices', 'proceeds', 'nothing to do, no file is made'),
  edge(
    'devices that come and go while they are listed',
    'proceeds',
    'listed again until count and pages agree',
  ),
  edge(
    'deleted on the source between plan and apply',
    'leaves alone',
    'what we had made on the target is taken back',
  ),
  edge(
    'changed on the source between plan and apply',
    'refuses',
    'the change set is stale, and what changed is named',
  ),
  edge(
    'API key that stops being accepted',
    'refuses',
    'the run ends at once with one error, and can be resumed',
  ),
  edge('rate limit', 'proceeds', 'waited for, by hints where there are some; no failure'),
  edge('no answer after the write had its effect', 'proceeds', 'read before anything is tried again'),
  edge(
    'kill or power cut at any step',
    'proceeds',
    'a run without any option comes to where one comes that nobody killed',
  ),
  edge(
    'stdout closed, disk full, folder read-only',
    'refuses',
    'before the source is touched; what was begun is finished or resumable',
  ),
  edge('two runs at once', 'refuses', 'the second, and the owner of the lock is named'),
  edge('run twice, or after a run that was done in part', 'proceeds', 'nothing to do; or it goes on'),
  edge(
    'target that takes a device in part',
    'leaves alone',
    'what was written is taken back in reverse, and the source untouched',
  ),
  edge(
    'handover that fails at its last steps',
    'leaves alone',
    'the target stays silent, and the source is started again',
  ),
  edge('stopped, and not heard on the target', 'warns', 'told as silent; nothing of the source is deleted'),
  edge(
    'source and target within one deployment',
    'asks',
    'the same application is refused; `policy.handover: delete-first` moves within one',
  ),
  edge('Stack V2 of the public clusters', 'refuses', 'they are gone since 2021, and that is told'),
  edge(
    'Stack V2 that registers devices anew by being read',
    'warns',
    'told, and read again right before the switch',
  ),
  edge(
    'rollback of what was done to the source',
    'proceeds',
    'the exact value, key or flag from before; counters never lower',
  ),
  edge(
    'own authority, wrong certificate, proxy',
    'refuses',
    'at the start, with the reason; a CA file that can not be read is an error',
  ),
  edge(
    'cluster that lacks a server on purpose',
    'asks',
    '`servers.join: none` for a source whose devices join elsewhere: it is not asked for; without it, a registry that is not served is an error',
  ),
  edge(
    'spreadsheets: marks, line ends, separators, short rows, lost zeros, numbers',
    'changes',
    'repaired where there is one way to read it; else row and column are told',
  ),
  edge(
    'list of ids with comments, blank lines, unknown ones',
    'warns',
    'read over; unknown ids are told, and the others cross',
  ),
  edge(
    'ten thousand devices and more',
    'proceeds',
    'listed in pages, asked for once; figures are in the guide to files',
  ),
  edge('keys in outputs, logs and dumps', 'proceeds', 'none: every byte of every command is searched'),
  edge(
    'frequency plans that can not be asked for',
    'proceeds',
    'the target says which it has; where it does not, its refusal is told',
  ),
  edge(
    'target that is older than a field',
    'changes',
    'left out where the server says that it does not know it',
  ),
]
