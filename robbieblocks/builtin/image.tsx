// A picture of media: in the form and width that the browser takes, with its place kept free.

type Picture = {
  src: string;
  type?: string;
  width?: number;
  height?: number;
  alt?: string;
  sources?: { type: string; srcSet: string }[];
  placeholder?: string;
  position?: string;
  priority?: boolean;
};

export type ImageProps = {
  /** What a prop with `"format": "media"` holds. */
  media: Picture;
  /** How wide it is shown, as in HTML; the whole width of the page where nothing is said. */
  sizes?: string;
  /** Instead of what the media says of itself. */
  alt?: string;
  className?: string;
  /** Whether it is what a page shows first: loaded at once, and before others. */
  priority?: boolean;
  /** How it fills a box of another shape, around its focal point. */
  fit?: "cover" | "contain";
};

export default function Image({ media, sizes = "100vw", alt, className, priority, fit }: ImageProps) {
  const first = priority ?? media.priority ?? false;
  const style: { [name: string]: string } = {};
  if (fit) style.objectFit = fit;
  if (media.position) style.objectPosition = media.position;
  if (media.placeholder) {
    style.backgroundImage = `url("${media.placeholder}")`;
    style.backgroundSize = "cover";
    if (media.position) style.backgroundPosition = media.position;
  }
  const picture = (
    <img
      src={media.src}
      width={media.width}
      height={media.height}
      alt={alt ?? media.alt ?? ""}
      className={className}
      style={style}
      sizes={media.sources ? sizes : undefined}
      loading={first ? "eager" : "lazy"}
      fetchPriority={first ? "high" : undefined}
      decoding={first ? "sync" : "async"}
    />
  );
  if (!media.sources) return picture;
  return (
    <picture style={{ display: "contents" }}>
      {media.sources.map((source) => (
        <source key={source.type} type={source.type} srcSet={source.srcSet} sizes={sizes} />
      ))}
      {picture}
    </picture>
  );
}
