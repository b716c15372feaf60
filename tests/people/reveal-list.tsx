"use client";
import { motion, useScroll, useSpring, useTransform, type Variants } from "framer-motion";

const container: Variants = { hidden: {}, shown: { transition: { staggerChildren: 0.08 } } };
const item: Variants = { hidden: { opacity: 0, x: -24 }, shown: { opacity: 1, x: 0 } };

export default function RevealList({ items }: { items: string[] }) {
  const { scrollYProgress } = useScroll();
  const width = useSpring(useTransform(scrollYProgress, [0, 1], [0, 100]), { stiffness: 120, damping: 30 });
  return (
    <>
      <motion.div className="fixed inset-x-0 top-0 h-1 origin-left bg-accent" style={{ scaleX: scrollYProgress }} />
      <motion.ul variants={container} initial="hidden" whileInView="shown" viewport={{ once: true }} className="space-y-3 p-6">
        {items.map((text) => (
          <motion.li
            key={text}
            variants={item}
            whileHover={{ scale: 1.02 }}
            whileTap={{ scale: 0.98 }}
            className="reveal rounded-lg border border-border p-4"
          >
            {text}
          </motion.li>
        ))}
      </motion.ul>
      <motion.meter aria-label="Read so far" min={0} max={100} value={width} />
    </>
  );
}
