/** The public library: everything that the command line does, without a process, a console or a clock of its own. */
export * from './domain/audit.ts'
export * from './domain/change-set.ts'
export * from './domain/credentials.ts'
export * from './domain/device.ts'
export * from './domain/diagnostic.ts'
export * from './domain/errors.ts'
export * from './domain/events.ts'
export type { GatewayChange, GatewayResult, GatewayRow } from './domain/gateway.ts'
export * from './domain/house-rules.ts'
export * from './domain/identifiers.ts'
export * from './domain/journal.ts'
export * from './domain/migration-plan.ts'
export * from './domain/ports.ts'
export type { RollbackLoss, RollbackRow, RollbackStatus, RolledBack } from './domain/rollback.ts'
export { Secret } from './domain/secret.ts'
export { exportDevice } from './engine/device/export.ts'
export { type CsvSheet, csvLine, csvSheets, lostInCsv } from './engine/device/export-csv.ts'
export { changeSetLines, parseChangeSet, serialiseChangeSet } from './engine/planning/change-set-file.ts'
export { foldState } from './engine/progress/fold.ts'
export { type HistoryTaker, takeHistory } from './engine/progress/history.ts'
export { isHeldByEscrow } from './engine/progress/standing.ts'
export { type DeviceStatus, type StatusRow, statusRows } from './engine/progress/status.ts'
export type { AppliedDevice, ApplyResult, Stopped } from './engine/run/apply.ts'
export type { VerifyRow, VerifyStatus } from './engine/run/verify.ts'
export type { Gate } from './engine/run/waves.ts'
export { credentialsCsv, credentialsJson } from './escrow/credentials-record.ts'
export {
  type AgeIdentity,
  generateIdentity,
  identityMissing,
  loadIdentity,
  writeIdentity,
} from './escrow/identity.ts'
export { type ApplyOptions, type ApplyOutcome, applyMigration, type Confirmed } from './operations/apply.ts'
export { type Audited, auditMigration } from './operations/audit.ts'
export { type CredentialsFound, newCredentials } from './operations/credentials.ts'
export { nameOfEnd } from './operations/ends.ts'
export {
  type EscrowedDevice,
  escrowRecords,
  listEscrowed,
  type Restored,
  type RestoreRow,
  restoreToSource,
} from './operations/escrow.ts'
export { type Exported, exportMigration } from './operations/export.ts'
export type { Host } from './operations/host.ts'
export { type Inspected, inspectApplication, lookAtFile } from './operations/init.ts'
export { type LocalPlan, localPlan } from './operations/local-plan.ts'
export { type Planned, planMigration } from './operations/plan.ts'
export { type RollbackOptions, type RollbackOutcome, rollBackMigration } from './operations/rollback.ts'
export { openStores, type Stores } from './operations/stores.ts'
export { type Verified, type VerifyOptions, verifyMigration } from './operations/verify.ts'
export { type KnownState, openWorkspace, readKnownState, type Workspace } from './operations/workspace.ts'
export { formatDiagnostic } from './plan/format-diagnostic.ts'
export { type LoadOptions, loadPlan } from './plan/load-plan.ts'
export { readOrganisationPolicy } from './plan/organisation-policy.ts'
export { type PlanAnswers, renderPlan } from './plan/render-plan.ts'
export { resolveSecret } from './plan/resolve-secret.ts'
export { compactState } from './state/compact-state.ts'
export { replaceFile, replaceFileByPieces } from './state/durable-file.ts'
export { acquireLock, type LockDocument, readLock, unlock } from './state/lock.ts'
export { readState } from './state/read-state.ts'
export { repairState } from './state/repair-state.ts'
