// Builds dist/ from src/ with the compiler alone: no bundle, one output file a source file, and the data beside it.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const compiled = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
  stdio: 'inherit',
})
if (existsSync('src/simulator/data')) {
  cpSync('src/simulator/data', 'dist/simulator/data', {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  })
}
if (existsSync('dist/cli/main.js')) chmodSync('dist/cli/main.js', 0o755)
process.exit(compiled.status ?? 1)
