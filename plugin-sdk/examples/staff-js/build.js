// connector.js to staff-js.component.wasm: a component with the contract's imports and no WASI at all.
import { readFile, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const { component } = await componentize({
  sourcePath: 'connector.js',
  witPath: process.env.RENMEN_WIT ?? '../../wit/connector.wit',
  worldName: 'source-connector',
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile('staff-js.component.wasm', component);
console.log(`staff-js.component.wasm: ${(component.length / 2 ** 20).toFixed(1)} MiB`);
