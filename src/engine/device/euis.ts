/** A pair of EUIs, each perhaps unknown: an ABP device below LoRaWAN 1.0.4 may have none, and no JoinEUI. */
interface Pair<Dev, Join> {
  readonly devEui?: Dev | undefined
  readonly joinEui?: Join | undefined
}

/** The pair alone; what is unknown is absent. */
export const euisOf = <Dev, Join>({
  devEui,
  joinEui,
}: Pair<Dev, Join>): { readonly devEui?: Dev; readonly joinEui?: Join } => ({
  ...(devEui === undefined ? {} : { devEui }),
  ...(joinEui === undefined ? {} : { joinEui }),
})

/** A pair as a key: a DevEUI without JoinEUI is a pair of its own; without DevEUI there is none. */
export const euiKey = ({ devEui, joinEui }: Pair<string, string>): string | undefined =>
  devEui === undefined ? undefined : `${joinEui ?? ''}/${devEui}`
