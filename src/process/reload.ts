/** What SIGHUP asks for: keys, the JWK Set and the certificate are read again. Whatever cannot be used is told in the log. */
import type { App } from '../../routes/app-type.js';
import type { Access } from '../access/access.js';
import { readTls } from '../access/settings.js';
import type { Config } from '../config.js';

export async function reload(app: App, access: Access, { tlsCert, tlsKey }: Config): Promise<void> {
  await access.lookAgain();
  if (tlsCert !== undefined && tlsKey !== undefined) takeCertificate(app, tlsCert, tlsKey);
  app.log.info('keys and certificates were looked at again, as SIGHUP asks');
}

/** Connections that are open keep the old certificate; a new one that cannot be used leaves it for all. */
function takeCertificate(app: App, cert: string, key: string): void {
  try {
    // The app's type is that of a plain server; this one was made with a certificate.
    const server = app.server as unknown as { setSecureContext(options: object): void };
    server.setSecureContext(readTls(cert, key));
    app.log.info({ cert }, 'the certificate was read again');
  } catch (error) {
    app.log.error({ cert, key, fault: (error as Error).message }, 'the certificate cannot be used: the old one stays');
  }
}
