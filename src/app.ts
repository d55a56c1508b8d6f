/** The composition, on one screen: what is made, in which order, and in which order it is let go of. */
import fs from 'node:fs';
import path from 'node:path';
import fastify, { LogController, type FastifyServerOptions } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { COMPONENTS } from '../routes/schemas/index.js';
import { routes } from '../routes/index.js';
import { Access, secretFiles } from './access/access.js';
import { readTls } from './access/settings.js';
import { ByteBudget } from './budget.js';
import type { Config } from './config.js';
import type { Context } from './context.js';
import { inFolder, ownDataDir } from './data-dir.js';
import { descriptorLimit, shareDescriptors } from './file/descriptors.js';
import { FileTable } from './file/file-table.js';
import { Generations } from './file/generations.js';
import { Journals } from './file/journal/journals.js';
import { availableBackends } from './file/mapping.js';
import { PrivateMemory } from './file/private-memory.js';
import { Roots, type Root } from './file/roots.js';
import { arenaPassesSelfTest, passesSelfTest } from './file/self-test.js';
import { Following } from './following/following.js';
import { Admission } from './jobs/admission.js';
import { StatisticsCache } from './jobs/cached.js';
import { JOB_BOUNDS, Jobs, keptResultBytes } from './jobs/jobs.js';
import { WorkerPool } from './jobs/pool.js';
import { LIMITS } from './limits.js';
import { registerAccess } from './plugins/access.js';
import { edgeHeaders, registerCors, registerEdgeHeaders } from './plugins/edge.js';
import { registerErrors, sendProblem } from './plugins/errors.js';
import { refuseOnSpares, type ConnectionBounds } from './plugins/connections.js';
import { registerClosing } from './plugins/closing.js';
import { registerCompression } from './plugins/compression.js';
import { registerBodyHolding } from './plugins/hold.js';
import { httpServerOf } from './plugins/http-server.js';
import { registerLogging } from './plugins/logging.js';
import { registerLooking } from './plugins/looked-at.js';
import { registerMetrics } from './plugins/metrics.js';
import { registerNotFound } from './plugins/not-found.js';
import { prefixReader, withoutPrefix } from './plugins/prefix.js';
import { registerRates } from './plugins/rates.js';
import { registerOpenApi } from './plugins/openapi.js';
import { clientErrorHandler, HEAD_OPTIONS, registerUnread } from './plugins/unread.js';
import { registerValidation } from './plugins/validation.js';
import { Registry } from './registry/registry.js';
import { VERSION } from './version.js';
import type { App } from '../routes/app-type.js';

/**
 * Builds the service over its data folder; `listen` and `close` are the caller's.
 * @throws ConfigError when it would be open to whom it must not be
 */
export async function buildApp(
  config: Config,
  logger: FastifyServerOptions['logger'],
): Promise<{ app: App; context: Context; registry: Registry; access: Access }> {
  const { dataDir, lock } = await ownDataDir(config.dataDir);
  const access = await Access.prepare({ ...config, dataDir });
  const folder = (name: string): string => path.join(dataDir, name);
  const reserved = [...['catalog', 'journal', 'lock'].map(folder), ...(await secretFiles({ ...config, dataDir }))];
  const roots = new Roots([config.dataDir, ...config.roots].map(rootAt), reserved);
  const backends = availableBackends(config.mapping).filter(backend => passesSelfTest(backend, dataDir));
  const generations = new Generations(folder('journal'));
  const journals = new Journals(folder('journal'));
  await inFolder(config.dataDir, () => Promise.all([generations.load(), journals.load()]));
  const clientShare = config.clientShare / 100;
  const pool = new WorkerPool(config.workers, {
    keepsFiles: backends.length > 0 && arenaPassesSelfTest(dataDir),
    clientShare,
  });
  const { openFilesMax, connectionsMax } = shareDescriptors(config, descriptorLimit());
  const budget = new ByteBudget(config.memoryBytes, undefined, clientShare);
  const privateBytes = config.privateBytes ?? Math.floor(config.memoryBytes * LIMITS.privateShare);
  const files = new FileTable({
    openFilesMax,
    privateMemory: new PrivateMemory(privateBytes, budget),
    roots,
    generations,
    journals,
    arraysDir: folder('arrays'),
    backends,
    onClosed: file => pool.letGoOf(file.keptAs),
  });
  const registry = new Registry({ dataDir, files, remoteWrites: config.remoteWrites, folders: config.folders });
  await inFolder(config.dataDir, () => registry.load());
  const followersMax = Math.min(config.followersMax ?? Infinity, followersFitting(connectionsMax));
  const following = new Following({ registry, generations, followersMax });
  access.onChanged = () => following.recheckAll();
  const context: Context = {
    config,
    files,
    pool,
    cache: new StatisticsCache(config.cacheBytes),
    admission: new Admission(config, clientShare),
    following,
    jobs: new Jobs({ ...JOB_BOUNDS, ...config, keptBytesMax: keptResultBytes(config.memoryBytes), clientShare }),
    budget,
    mappings: backends.map(backend => backend.name),
  };

  const { tlsCert, tlsKey, corsOrigins, rateLimit, trustProxy, prefix } = config;
  const tls = tlsCert && tlsKey ? readTls(tlsCert, tlsKey) : undefined;
  const headSeconds = config.stallSeconds;
  const { connectionsPerAddress = trustProxy ? connectionsMax : Math.ceil((connectionsMax * 7) / 8) } = config;
  const bounds: ConnectionBounds = { connectionsMax, perAddressMax: connectionsPerAddress };
  const headers = edgeHeaders({ corsOrigins, isTls: tls !== undefined });
  const app = fastify({
    trustProxy,
    ...(prefix !== undefined && { rewriteUrl: withoutPrefix(prefix) }),
    // Fastify names the scheme by it.
    ...(tls && { https: tls as object }),
    serverFactory: answer => httpServerOf(answer, { tls, heads: HEAD_OPTIONS, headSeconds, ...bounds }),
    ...(logger !== undefined && { logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.requestBytesMax,
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: 'idle',
    // Our own hook answers with a problem document.
    return503OnClosing: false,
    clientErrorHandler: clientErrorHandler(headers, headSeconds),
    frameworkErrors: (error, _request, reply) => void sendProblem(reply.headers(headers), error),
    requestIdHeader: false,
  }).withTypeProvider<TypeBoxTypeProvider>();
  journals.onLost = (fileId, cause) => {
    app.log.error({ err: cause, datasets: registry.namesOf([fileId]) }, 'the disk failed a file: durability unknown');
  };
  context.pool.onLost = error => app.log.error({ err: error }, 'a worker thread ended, and was replaced');
  pool.onDown = () => app.log.error('no worker thread can be started: what needs one is answered 503');
  pool.onNoKernels = because =>
    app.log.error({ because }, 'WebAssembly cannot be had: statistics are answered 503 no_kernels');
  if (pool.noKernelsBecause !== undefined) pool.onNoKernels(pool.noKernelsBecause);
  registry.folders.onTrouble = (trouble, message) => app.log.warn(trouble, message);
  registry.folders.start();
  const { replayedRecords } = journals.counts;
  if (replayedRecords > 0) app.log.info({ records: replayedRecords }, 'journals of an earlier run replayed');
  registerEdgeHeaders(app, headers);
  registerValidation(app, COMPONENTS);
  registerErrors(app);
  registerUnread(app, headers);
  refuseOnSpares(app, bounds);
  registerClosing(app, context);
  registerRates(app, { bytesPerSecond: config.rateBytesMin, windowSeconds: config.stallSeconds });
  registerBodyHolding(app, context.budget);
  registerLogging(app);
  await registerCors(app, corsOrigins);
  await registerAccess(app, { access, registry, corsOrigins, rateLimit });
  registerLooking(app);
  registerCompression(app, context.budget);
  registerNotFound(app);
  const metrics = registerMetrics(app, context, registry);
  await registerOpenApi(app, VERSION, COMPONENTS, prefixReader(config));
  await app.register(async scope => routes(scope as App, context, metrics));

  app.addHook('onClose', async () => {
    registry.folders.close();
    // Files first: the workers apply what is committed.
    await files.close();
    await context.pool.close();
    await generations.close(fileId => files.isUncertain(fileId));
    lock.release();
  });
  return { app, context, registry, access };
}

/** Those who follow leave connections to others. */
function followersFitting(connectionsMax: number): number {
  return Math.max(1, Math.floor(connectionsMax * LIMITS.followersShare));
}

function rootAt(asked: string): Root {
  return { configured: path.resolve(asked), real: fs.realpathSync(asked) };
}
