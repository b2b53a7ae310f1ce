import { defineConfig } from 'vitest/config'

// On CI the results are also written as JSON, from which `.ci/run` counts.
const onCi = process.env['CI'] === 'true'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/parsers.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 30_000,
    reporters: onCi ? ['default', 'json'] : ['default'],
    outputFile: { json: 'test-artefacts/vitest.json' },
    allowOnly: !onCi,
  },
})
