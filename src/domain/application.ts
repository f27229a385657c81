import type { ErrorRecord } from './journal.ts'
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

/** An integration over NATS, MQTT or AWS IoT. One that holds something secret is empty but for what that is called. */
export type PubSub = Webhook

/** Somebody with rights on an application. */
export interface Collaborator {
  readonly kind: 'user' | 'organization'
  readonly id: string
  /** `RIGHT_APPLICATION_ALL` and its like, sorted. */
  readonly rights: readonly string[]
}

/** What an application has besides its devices. */
export interface ApplicationPort {
  settings(): Promise<ApplicationSettings>
  /** Writes those that are given. */
  setSettings(settings: ApplicationSettings): Promise<void>
  webhooks(): Promise<readonly Webhook[]>
  /** @param paused nothing is sent before somebody lets it go on */
  createWebhook(webhook: Webhook, paused: boolean): Promise<void>
  pubSubs(): Promise<readonly PubSub[]>
  createPubSub(pubSub: PubSub): Promise<void>
  collaborators(): Promise<readonly Collaborator[]>
  /** @throws NetworkError where the network does not know them, or the credential has fewer rights than they would get */
  addCollaborator(collaborator: Collaborator): Promise<void>
}

/** What an apply could not write. */
export interface ApplicationFailure {
  readonly part: ApplicationChange['part']
  readonly id?: string
  readonly error: ErrorRecord
}

/**
 * What becomes of a part of the application. write: the target has none, and gets the source's. same: it has it already. differs:
 * it has another one, which stays. left: it is of no use without something secret, and is for somebody to make.
 */
export interface ApplicationChange {
  readonly part: 'name' | 'description' | 'attributes' | 'webhook' | 'pub-sub' | 'collaborator'
  /** Of a webhook or pub/sub integration; of a collaborator `user alice`. */
  readonly id?: string
  readonly action: 'write' | 'same' | 'differs' | 'left'
  /** Attributes, fields of an integration, or rights, that are written. */
  readonly names: readonly string[]
  /** What is left for somebody to enter. */
  readonly left: readonly string[]
  /** Over what is written. */
  readonly digest: string
}
