/** Prefixes of makers (IEEE) that many LoRaWAN devices have; a suspicion needs no complete list. */
const PREFIXES = ['70B3D5', '0004A3', 'A84041', '24E124', '647FDA', '58A0CB', '0018B2', '2CF7F1', '008000']

/** Whether a DevEUI looks as if its bytes were written last first, as some lists and firmware sources have them. */
export const isReversedEui = (devEui: string): boolean => {
  const reversed = (devEui.match(/../g) ?? []).reverse().join('')
  return (
    PREFIXES.some((prefix) => reversed.startsWith(prefix)) &&
    !PREFIXES.some((prefix) => devEui.startsWith(prefix))
  )
}
