// A comment that someone wrote as one long line, which was cut at the hundredth column and left
// like this, so that
// the next line goes on with the sentence.
// This one is as long as the others and ends with a list of what there is: one, two, three and
// four.
// the end.
inline int value() { return 1000000000 + 100000000 + 10000000 + 1000000 + 100000 + 10000 + 1000 + 100 + 10 + 1 + 1000000000 + 100000000 + 10000000; }
