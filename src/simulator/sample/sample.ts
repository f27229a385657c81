import type { Network } from '../network.ts'

/** A device of the sample application, with what a virtual device needs to be it. */
export interface SampleDevice {
  readonly id: string
}

/** Fills the sample application. */
export const buildSample = (_network: Network, _application: string): readonly SampleDevice[] => []
