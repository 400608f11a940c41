#!/usr/bin/env node
// Committed because the compiler sets no executable bit on what it writes, and npx sets it only once.
import '../dist/src/cli/main.js';
