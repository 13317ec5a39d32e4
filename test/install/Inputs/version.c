/* The smallest program over the installed C interface. */
#include <stdio.h>
#include <xfmr/xfmr.h>

int main(void) {
  printf("runtime %s\n", xfmr_version());
  return 0;
}
