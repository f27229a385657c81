import { describe, expect, test } from 'vitest'
import { deploymentOf, identityOriginOf } from '../../../src/domain/hosts.ts'

describe('a deployment', () => {
  test.each([
    ['https://acme.nam1.cloud.thethings.industries', 'the Cloud of The Things Industries'],
    ['https://other.eu1.cloud.thethings.industries', 'the Cloud of The Things Industries'],
    ['https://nam1.cloud.thethings.network', 'The Things Stack Sandbox'],
    ['https://stack.example.org', 'stack.example.org:443'],
    ['https://stack.example.org:443/', 'stack.example.org:443'],
    ['http://127.0.0.1:1885', 'localhost:1885'],
    ['http://localhost:1885', 'localhost:1885'],
    ['http://stack.example.org', 'stack.example.org:80'],
  ])('of %s is %s', (url, deployment) => {
    expect(deploymentOf(new URL(url))).toBe(deployment)
  })
})

describe('the Identity Server', () => {
  test.each([
    ['https://acme.nam1.cloud.thethings.industries', 'https://acme.eu1.cloud.thethings.industries'],
    ['https://au1.cloud.thethings.network', 'https://eu1.cloud.thethings.network'],
    ['https://stack.example.org:8885', 'https://stack.example.org:8885'],
  ])('of %s is at %s', (url, origin) => {
    expect(identityOriginOf(new URL(url))).toBe(origin)
  })
})
