import type { Json } from './json.ts'

/** What describes an application; what it has not is absent. */
export interface ApplicationSettings {
  readonly name?: string
  readonly description?: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** An integration of an application over HTTP, without what is secret. */
export interface Webhook {
  readonly id: string
  /** By the name of the field in the API, such as `base_url` and `uplink_message`. */
  readonly fields: Readonly<Record<string, Json>>
  /** What is secret and was left out, by name, such as `headers.Authorization`: somebody has to enter it. */
  readonly left: readonly string[]
}

/** What an application has besides its devices. */
export interface ApplicationPort {
  settings(): Promise<ApplicationSettings>
  /** Writes those that are given. */
  setSettings(settings: ApplicationSettings): Promise<void>
  webhooks(): Promise<readonly Webhook[]>
  /** @param paused nothing is sent before somebody lets it go on */
  createWebhook(webhook: Webhook, paused: boolean): Promise<void>
}

/**
 * What becomes of a part of the application. write: the target has none, and gets the source's. same: it has it already. differs:
 * it has another one, which stays.
 */
export interface ApplicationChange {
  readonly part: 'name' | 'description' | 'attributes' | 'webhook'
  /** Of a webhook. */
  readonly id?: string
  readonly action: 'write' | 'same' | 'differs'
  /** Attributes, or fields of a webhook, that are written. */
  readonly names: readonly string[]
  /** What is left for somebody to enter. */
  readonly left: readonly string[]
  /** Over what is written. */
  readonly digest: string
}
