export type { HttpAnswer } from './answer.ts'
export { createHttpClient, type HttpClient, type HttpOptions, type Wait } from './client.ts'
export type { Environment } from './dispatcher.ts'
export { systemTiming, type Timing } from './timing.ts'
