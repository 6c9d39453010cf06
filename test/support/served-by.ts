import { once } from 'node:events';
import { connect, type PeerCertificate } from 'node:tls';

/** The certificate that a new connection to a port of 127.0.0.1 gets, whoever signed it. */
export async function servedBy(port: number): Promise<PeerCertificate> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}
