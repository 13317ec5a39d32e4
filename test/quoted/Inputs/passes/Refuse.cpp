// Sources for the check itself: what is quoted, what is not, what need not be.
void refuse(Op op) {
  assert(op.ok() && "what no user sees");
  if (op.wide())
    op.emitError("is \"wide\", expected at most ") << kMost << " columns of " // a message in parts
                                                      "one tile";
  if (op.narrow())
    op.emitError("is narrow, which is said nowhere");
  if (op.full()) // untested: no test fills a disk
    op.emitError("the disk is full");
  if (op.strange())
    op.emitError(R"(is strange as a pattern)").attachNote() << "and a note that nothing quotes";
  if (op.near())
    op.emitError("is near to the pattern of a test");
}
