/** The second thread of DevTools' engine (loadWithDevTools): dominators and retained sizes. */
import { type MessagePort, workerData } from 'node:worker_threads';

const { bundle, port } = workerData as { bundle: string; port: MessagePort };
const modules = (await import(bundle)) as { SecondaryInitManager: new (port: MessagePort) => unknown };
new modules.SecondaryInitManager(port);
