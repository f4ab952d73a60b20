// Writes the archives that the tests read, as a Java server does: with java.util.zip.ZipOutputStream, which puts sizes
// into data descriptors.
//
//     java MakeZip.java java.zip            the committed fixture: three members, one of them empty
//     java MakeZip.java OUT.zip IN.csv...   an archive of the files given, under their own names

import java.io.FileOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

public class MakeZip {
    private static ZipOutputStream zip;

    public static void main(String[] arguments) throws Exception {
        zip = new ZipOutputStream(new FileOutputStream(arguments[0]));
        if (arguments.length == 1) {
            StringBuilder csv = new StringBuilder();
            for (int row = 1; row <= 3; row++) {
                csv.append(String.join(",", "id" + row, "dev", "acc", "4294967296", "2", "100" + row, "2015-02-08 20:23:3" + row, "7",
                    "" + row, "\"12;34\"", "sn" + row, "" + row, "2015-02-08 20:24:3" + row, "0", "2015-02-08 12:24:3" + row, "2"));
                csv.append("\r\n");
            }
            add("20150208202330123456_agentSkillInfo.csv", csv.toString().getBytes(StandardCharsets.UTF_8));
            add("20150208202330123457_agentSkillInfo_1.csv", new byte[0]);
            add("20150208202330123458_agentSkillInfo_2.csv", "id4,\u8bdd\u52a1,acc,5".getBytes(StandardCharsets.UTF_8));
        } else {
            for (int index = 1; index < arguments.length; index++) {
                Path file = Path.of(arguments[index]);
                add(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        zip.close();
    }

    private static void add(String name, byte[] data) throws Exception {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(1423398210000L);
        zip.putNextEntry(entry);
        zip.write(data);
        zip.closeEntry();
    }
}
