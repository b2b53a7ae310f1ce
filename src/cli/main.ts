#!/usr/bin/env node
process.stderr.write('capfence: nothing is wired yet\n')
process.exitCode = 2
