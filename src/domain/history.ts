/** What a state tells of the time that has passed: runs, and when devices came how far. */
export interface History {
  /** Oldest first. */
  readonly runs: readonly RunHistory[]
  /** In the order in which they began; of a plan without waves there is none. */
  readonly waves: readonly WaveHistory[]
  /** Milliseconds since the epoch, ascending: when each device began to cross, was first served by the target, was heard. */
  readonly begun: readonly number[]
  readonly served: readonly number[]
  readonly heard: readonly number[]
}

export interface RunHistory {
  readonly run: string
  readonly command: string
  /** ISO 8601. */
  readonly began: string
  /** Absent where it was killed, or is at work. */
  readonly ended?: string
  readonly result?: 'applied' | 'partial' | 'aborted'
  readonly begun: number
  readonly served: number
  readonly heard: number
  readonly failed: number
  readonly undone: number
}

export interface WaveHistory {
  /** `canary`, `wave 1` and so on, or `rest`. */
  readonly wave: string
  readonly devices: number
  readonly served: number
  readonly heard: number
  /** ISO 8601, when the first of it began. */
  readonly began: string
}
