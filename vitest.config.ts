import {defineConfig} from 'vitest/config'

const project = (name: string, include: string[], extra = {}) => ({
  test: {name, include, testTimeout: 20_000, ...extra},
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project('unit', ['tests/core/**/*.test.ts', 'tests/*.test.ts', 'tests/training/**/*.test.ts']),
      project('tools', ['tests/tools/**/*.test.ts']),
      project('components', ['tests/components/**/*.test.tsx', 'tests/components/**/*.test.ts']),
      // The built program without a terminal, with recorded plans.
      project('commands', ['tests/commands/**/*.test.ts'], {testTimeout: 120_000}),
      // The built program, the real models and the real programs: slow, one file at a time.
      project('e2e', ['tests/e2e/**/*.test.ts'], {testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false}),
    ],
  },
})
