<section className="relative isolate overflow-hidden bg-gradient-to-br from-indigo-700 via-purple-700 to-pink-600 px-6 py-24 text-center text-white sm:py-32">
  {/* decorative blob */}
  <div aria-hidden="true" className="absolute -top-24 left-1/2 -z-10 h-72 w-72 -translate-x-1/2 rounded-full bg-white/20 blur-3xl" />
  <h2 className="mx-auto max-w-2xl text-4xl font-extrabold tracking-tight text-white sm:text-6xl">{props.title}</h2>
  <p className="mx-auto mt-6 max-w-xl text-lg/8 text-white/90">{props.subtitle ?? "No subtitle"}</p>
  {props.cta && (
    <a href={props.cta.href} className="mt-10 inline-flex items-center rounded-full bg-white px-6 py-3 text-sm font-semibold text-indigo-700 shadow-sm hover:bg-indigo-50">
      {props.cta.label} <span aria-hidden="true">→</span>
    </a>
  )}
</section>
