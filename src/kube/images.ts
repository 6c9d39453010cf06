/** An image reference without registry and repository folders, tag and digest: `registry:5000/a/kubelet:v1` gives `kubelet`. */
export function imageName(image: string): string {
  return lastPart(image).split(':', 1)[0] ?? '';
}

/** The tag of an image reference, '' when it has none. */
export function imageTag(image: string): string {
  return lastPart(image).split(':', 2)[1] ?? '';
}

function lastPart(image: string): string {
  const withoutDigest = image.split('@', 1)[0] ?? '';
  return withoutDigest.slice(withoutDigest.lastIndexOf('/') + 1);
}
