/** An image reference without registry and repository folders, tag and digest: `registry:5000/a/kubelet:v1` gives `kubelet`. */
export function imageName(image: string): string {
  const part = lastPart(image);
  const colon = part.indexOf(':');
  return colon < 0 ? part : part.slice(0, colon);
}

/** The tag of an image reference, '' when it has none. */
export function imageTag(image: string): string {
  return lastPart(image).split(':', 2)[1] ?? '';
}

function lastPart(image: string): string {
  const at = image.indexOf('@');
  const withoutDigest = at < 0 ? image : image.slice(0, at);
  return withoutDigest.slice(withoutDigest.lastIndexOf('/') + 1);
}
