export type { HttpAnswer } from './answer.ts'
export { createHttpClient, type HttpClient, type HttpOptions, type HttpRequest, type Wait } from './client.ts'
export type { Environment } from './dispatcher.ts'
export type { Timing } from './timing.ts'
