import Form, { type FormProps } from "@robbieblocks/form";

export default function WriteToUs(props: FormProps) {
  return (
    <section className="write-to-us">
      <Form {...props} />
    </section>
  );
}
