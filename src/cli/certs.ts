import { Command, InvalidArgumentError } from 'commander';

import { serviceNames } from '../tls/service-names.ts';
import { parseSecretName, type SecretName } from './certificate-store.ts';
import { generateCertificates, type GenerateOptions } from './certs-generate.ts';
import { inspectCertificates, type InspectOptions } from './certs-inspect.ts';
import type { Finish } from './command.ts';
import type { Io } from './io.ts';
import { addName, formatOption } from './options.ts';

const NAMESPACE = 'scrapeguard-system';
const SECRET: SecretName = { namespace: NAMESPACE, name: 'scrapeguard-certificates' };

/** `certs generate` and `certs inspect [PATH]`: certificates for whoever lets neither cert-manager nor us renew them. */
export function certsCommand(io: Io, finish: Finish): Command {
  const certs = new Command('certs').description('make a certificate for the webhook, or look at one');
  certs
    .command('generate')
    .description('write a CA and a certificate signed by it, or renew the certificate of a CA that is there')
    .option('--dir <DIR>', 'the folder for ca.crt, ca.key, tls.crt and tls.key', '.')
    .option(
      '--name <NAME>',
      `a DNS name or IP address; may be repeated (default: the Service's in ${NAMESPACE})`,
      addName,
    )
    .option('--days <DAYS>', 'how long the certificate lasts, at most as long as its CA', parseDays, 365)
    .option('--ca-days <DAYS>', 'how long a new CA lasts', parseDays, 3650)
    .action(async ({ name = serviceNames(NAMESPACE), ...options }: Partial<GenerateOptions> & GenerateDefaults) =>
      generateCertificates({ ...options, name }, io),
    );
  certs
    .command('inspect')
    .description('say what a certificate is for, how long it lasts, and what is wrong with it')
    .argument('[PATH]', 'a file of certificates, or a folder with tls.crt, tls.key and ca.crt', '.')
    .option('--kubeconfig <FILE>', 'look at the Secret in a cluster, and at who is to trust it, instead')
    .option('--secret <NAMESPACE/NAME>', 'which Secret', parseSecretName, SECRET)
    .option('--name <NAME>', 'a name that the certificate must be for; may be repeated', addName, [])
    .option('--within <DAYS>', 'exit with 1 when it expires within so many days, too', parseDays, 14)
    .addOption(formatOption())
    .addHelpText('after', '\nExit code: 0 all is well, 1 it cannot be used or expires soon, 2 it cannot be read.\n')
    .action(async (path: string, options: InspectOptions) => finish(await inspectCertificates(path, options, io)));
  return certs;
}

type GenerateDefaults = Omit<GenerateOptions, 'name'>;

function parseDays(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text)) throw new InvalidArgumentError('It is no number of days.');
  return Number(text);
}
