/** Forms for review tools and services of continuous integration. */
export const MACHINE_FORMATS = ['github', 'gitlab', 'sarif', 'junit'] as const
export type MachineFormat = (typeof MACHINE_FORMATS)[number]

export const isMachineFormat = (format: string): format is MachineFormat =>
  MACHINE_FORMATS.some((known) => known === format)
